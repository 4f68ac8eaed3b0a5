import { nginxSite } from "../../render/nginxSite";
import { findDirectives, parseNginx } from "./support/nginxText";
import { fixture, site, siteSettings } from "./support/samples";

describe("the nginx site", () => {
  const KINDS = ["nix-serve", "nix-serve-ng", "harmonia", "none"] as const;

  test("is, for nix-serve", () => {
    expect(nginxSite(site())).toBe(fixture("site-nix-serve.conf"));
  });

  test("is, without a server", () => {
    expect(nginxSite(site({ server: "none" }))).toBe(fixture("site-none.conf"));
  });

  test("keeps answers of harmonia by their encoding, which it chooses by what the client accepts", () => {
    const directives = parseNginx(nginxSite(site({ server: "harmonia" })));
    const words = (name: string): string[] =>
      findDirectives(directives, name).map((found) => found.words.slice(1).join(" "));
    expect(words("proxy_cache_key")).toEqual([
      "$nix_binary_cache_encoding$uri",
      "$nix_binary_cache_encoding$nix_binary_cache_nar",
    ]);
    expect(words("proxy_set_header")).toEqual([
      "Connection ",
      "Host $host",
      "X-Forwarded-For $proxy_add_x_forwarded_for",
      "Accept-Encoding $nix_binary_cache_encoding",
    ]);
    expect(
      directives.find(({ words: [, , name] }) => name === "$nix_binary_cache_encoding"),
    ).toEqual({
      words: ["map", "$http_accept_encoding", "$nix_binary_cache_encoding"],
      block: [{ words: ["default", "identity"] }, { words: ["~\\bzstd\\b", "zstd"] }],
    });
  });

  test("takes its settings from the configuration", () => {
    const settings = siteSettings({
      serverNames: ["cache.example.org", "cache"],
      publishedStore: "/data/cache",
      narinfoSeconds: 60,
      narDays: 7,
      narGigabytes: 5,
      ipv6: false,
    });
    const directives = parseNginx(nginxSite(site({ settings, port: 6000 })));
    const all = (name: string): string[] =>
      findDirectives(directives, name).map((found) => found.words.slice(1).join(" "));
    expect(all("listen")).toEqual(["80"]);
    expect(all("server_name")).toEqual(["cachy.local cache.example.org cache"]);
    expect(all("root")).toEqual(["/data/cache"]);
    expect(all("server")).toEqual(["127.0.0.1:6000", ""]);
    expect(all("proxy_cache_valid")).toEqual(["200 60s", "404 2s", "200 7d"]);
    expect(
      all("proxy_cache_path").map((path) => path.match(/inactive=\S+ max_size=\S+/)?.[0]),
    ).toEqual(["inactive=1d max_size=1g", "inactive=7d max_size=5g"]);
  });

  test.each(KINDS)(
    "of %s has all its locations side by side, and proxies in named ones alone",
    (kind) => {
      const directives = parseNginx(nginxSite(site({ server: kind })));
      const locations = findDirectives(directives, "location");
      expect(locations.filter(({ around }) => around.join(" ") !== "server")).toEqual([]);
      const named = locations.map(({ words }) => words[1]).filter((name) => name?.startsWith("@"));
      const proxies = findDirectives(directives, "proxy_pass").map(({ around }) => around);
      const live = kind === "none" ? [] : ["@narinfo", "@nar", "@server"];
      expect(named).toEqual(["@miss", ...live]);
      expect(proxies).toEqual(live.map((name) => ["server", `location ${name}`]));
      // Every named location that something refers to is there.
      const referred = ["try_files", "error_page"].flatMap((name) =>
        findDirectives(directives, name).map(({ words }) => words.at(-1)),
      );
      expect(referred.filter((name) => name !== "=404" && !named.includes(name))).toEqual([]);
      // What is proxied goes to loopback.
      expect(
        directives
          .filter(({ words }) => words[0] === "upstream")
          .map(({ block: inner = [] }) => inner[0]),
      ).toEqual(kind === "none" ? [] : [{ words: ["server", "127.0.0.1:5000"] }]);
    },
  );

  test.each([
    ["/nix-cache-info", "info"],
    ["/0123456789abcdfghijklmnpqrsvwxyz.narinfo", "narinfo"],
    ["/nar/0123456789abcdfghijklmnpqrsvwxyz-0v.nar", "nar"],
    ["/nar/0v.nar.zst", "nar"],
    ["/0123456789abcdfghijklmnpqrsvwxyz.ls", "listing"],
    ["/log/0123456789abcdfghijklmnpqrsvwxyz-hello-1.0+x.drv", "log"],
    ["/e123456789abcdfghijklmnpqrsvwxyz.narinfo", "other"],
    ["/nar/../secret.nar", "other"],
    ["/metrics", "other"],
    ["/", "other"],
  ])("puts a request for %s into the class %s", (uri, wanted) => {
    const classes = parseNginx(nginxSite(site())).find(
      ({ words }) => words[2] === "$nix_binary_cache_class",
    );
    const [, ...patterns] = classes?.block ?? [];
    const matching = patterns.find(({ words: [pattern = ""] }) =>
      pattern.startsWith("~") ? new RegExp(pattern.slice(1)).test(uri) : pattern === uri,
    );
    expect(matching?.words[1] ?? "other").toBe(wanted);
  });

  test("logs a line of JSON for each request", () => {
    const [format] = findDirectives(parseNginx(nginxSite(site())), "log_format");
    expect(format?.words.slice(0, 3)).toEqual(["log_format", "nix_binary_cache", "escape=json"]);
    const filled = (format?.words[3] ?? "").replaceAll(
      /\$(status|body_bytes_sent|request_time)/g,
      "1",
    );
    expect(Object.keys(JSON.parse(filled) as object)).toEqual([
      "time",
      "client",
      "method",
      "uri",
      "class",
      "status",
      "bytes",
      "seconds",
      "cache",
      "server_status",
      "server_seconds",
      "agent",
    ]);
  });
});
