import { NAR_CACHE, NARINFO_CACHE, SITE_LOG } from "./layout";
import { block, directive, type Directive, nginxValue, renderNginx } from "./nginx";
import type { SiteArguments } from "./siteSet";

const SERVER = "nix_binary_cache_server";

/** The characters of Nix's base 32. */
const BASE32 = "[0-9a-df-np-sv-z]";
const NARINFO = `^/${BASE32}{32}\\.narinfo$`;
const NAR = "^/nar/[0-9a-z-]+\\.nar(\\.[a-z0-9]+)?$";
const LISTING = `^/${BASE32}{32}\\.ls$`;
const LOG = "^/log/[0-9A-Za-z+._?=-]+\\.drv$";

const READ_SECONDS = "600s";
const IMMUTABLE = "public, max-age=31536000, immutable";

/** All names of the site, each once: nginx takes a repetition for a conflict. */
export function serverNames({
  domain,
  settings,
}: Pick<SiteArguments, "domain" | "settings">): string[] {
  return [...new Set([domain, ...settings.serverNames])];
}

/** The site of a host: published store first, then the server, then 404. */
export function nginxSite(site: SiteArguments): string {
  const live = site.server !== "none";
  return renderNginx([
    "The Nix binary cache of this host. Written by nix-binary-cache: changes made here are lost with",
    "the next `pulumi up` that changes this file; a copy of them is kept.",
    ...(live ? liveStore(site) : []),
    classes(),
    accessLog(),
    block(["server"], ...listen(site), ...common(site), ...locations(site)),
  ]);
}

function liveStore({ port, server, settings }: SiteArguments): Directive[] {
  return [
    block(
      ["upstream", SERVER],
      directive("server", `127.0.0.1:${port}`),
      directive("keepalive", "16"),
    ),
    directive(
      "proxy_cache_path",
      NARINFO_CACHE,
      "levels=1:2",
      "keys_zone=nix_binary_cache_narinfo:10m",
      "inactive=1d",
      "max_size=1g",
      "use_temp_path=off",
    ),
    directive(
      "proxy_cache_path",
      NAR_CACHE,
      "levels=1:2",
      "keys_zone=nix_binary_cache_nar:10m",
      `inactive=${settings.narDays}d`,
      `max_size=${settings.narGigabytes}g`,
      "use_temp_path=off",
    ),
    "One spelling of a NAR's address for all servers: clients keep a narinfo for 30 days, and",
    "after a change of server the address in it would be one that the new server does not know.",
    block(
      ["map", "$uri?$arg_hash", "$nix_binary_cache_nar"],
      directive("default", "$uri"),
      directive(
        `~^/nar/(?<nix_nar>${BASE32}{52})\\.nar\\?(?<nix_path>${BASE32}{32})$`,
        "/nar/$nix_path-$nix_nar.nar",
      ),
    ),
    ...(server === "harmonia"
      ? [
          "harmonia compresses on the way for those who ask for zstd; both forms are kept.",
          block(
            ["map", "$http_accept_encoding", "$nix_binary_cache_encoding"],
            directive("default", "identity"),
            directive("~\\bzstd\\b", "zstd"),
          ),
        ]
      : []),
  ];
}

function classes(): Directive {
  return block(
    ["map", "$uri", "$nix_binary_cache_class"],
    directive("default", "other"),
    directive("/nix-cache-info", "info"),
    directive(`~${NARINFO}`, "narinfo"),
    directive(`~${NAR}`, "nar"),
    directive(`~${LISTING}`, "listing"),
    directive(`~${LOG}`, "log"),
  );
}

function accessLog(): Directive {
  const fields: readonly (readonly [name: string, variable: string, quoted: boolean])[] = [
    ["time", "$time_iso8601", true],
    ["client", "$remote_addr", true],
    ["method", "$request_method", true],
    ["uri", "$request_uri", true],
    ["class", "$nix_binary_cache_class", true],
    ["status", "$status", false],
    ["bytes", "$body_bytes_sent", false],
    ["seconds", "$request_time", false],
    ["cache", "$upstream_cache_status", true],
    ["server_status", "$upstream_status", true],
    ["server_seconds", "$upstream_response_time", true],
    ["agent", "$http_user_agent", true],
  ];
  const spelled = fields.map(
    ([name, variable, quoted]) => `"${name}":${quoted ? `"${variable}"` : variable}`,
  );
  return directive("log_format", "nix_binary_cache", "escape=json", `{${spelled.join(",")}}`);
}

function listen({ domain, settings }: SiteArguments): Directive[] {
  return [
    directive("listen", "80"),
    ...(settings.ipv6 ? [directive("listen", "[::]:80")] : []),
    directive("server_name", ...serverNames({ domain, settings }).map(nginxValue)),
  ];
}

function common({ settings, server }: SiteArguments): Directive[] {
  return [
    directive("root", settings.publishedStore),
    directive("access_log", SITE_LOG, "nix_binary_cache"),
    directive("server_tokens", "off"),
    directive("gzip", "off"),
    directive("sendfile", "on"),
    directive("tcp_nopush", "on"),
    directive("keepalive_timeout", "75s"),
    directive("keepalive_requests", "10000"),
    directive("send_timeout", "300s"),
    block(["if", "($request_method", "!~", "^(GET|HEAD)$)"], directive("return", "405")),
    "A server that is down, starting or in trouble is a miss: an error would break the builds of",
    "every client, a miss lets them build or ask the next substituter.",
    directive("error_page", "500", "502", "503", "504", "=404", "@miss"),
    ...(server === "none" ? [] : proxySettings(server === "harmonia")),
  ];
}

function proxySettings(compresses: boolean): Directive[] {
  return [
    directive("proxy_http_version", "1.1"),
    directive("proxy_set_header", "Connection", ""),
    directive("proxy_set_header", "Host", "$host"),
    directive("proxy_set_header", "X-Forwarded-For", "$proxy_add_x_forwarded_for"),
    directive(
      "proxy_set_header",
      "Accept-Encoding",
      compresses ? "$nix_binary_cache_encoding" : "",
    ),
    directive("proxy_connect_timeout", "5s"),
    directive("proxy_send_timeout", READ_SECONDS),
    directive("proxy_read_timeout", READ_SECONDS),
    directive("proxy_buffer_size", "16k"),
    directive("proxy_buffers", "16", "64k"),
    directive("proxy_busy_buffers_size", "128k"),
    directive("proxy_intercept_errors", "on"),
    directive(
      "proxy_ignore_headers",
      "Cache-Control",
      "Expires",
      "Set-Cookie",
      "Vary",
      "X-Accel-Expires",
    ),
    directive("proxy_hide_header", "Cache-Control"),
  ];
}

/**
 * Sibling locations, each with a proxy_pass of its own: nginx does not inherit it into a nested
 * one, which then answers 404 for all that it matches.
 */
function locations({ server, settings }: SiteArguments): Directive[] {
  const live = server !== "none";
  const encoding = server === "harmonia" ? "$nix_binary_cache_encoding" : "";
  const narinfo = `${encoding}$uri`;
  const nar = `${encoding}$nix_binary_cache_nar`;
  return [
    block(
      ["location", "=", "/nix-cache-info"],
      directive("default_type", "text/x-nix-cache-info"),
      directive("add_header", "Cache-Control", "public, max-age=300"),
    ),
    block(
      ["location", "~", NARINFO],
      directive("default_type", "text/x-nix-narinfo"),
      directive("try_files", "$uri", live ? "@narinfo" : "=404"),
    ),
    block(
      ["location", "~", NAR],
      directive("default_type", "application/x-nix-nar"),
      directive("add_header", "Cache-Control", IMMUTABLE),
      directive("try_files", "$uri", live ? "@nar" : "=404"),
    ),
    block(
      ["location", "~", `${LISTING}|${LOG}`],
      directive("try_files", "$uri", live ? "@server" : "=404"),
    ),
    block(["location", "/"], directive("return", "404")),
    block(["location", "@miss"], directive("internal"), directive("return", "404")),
    ...(live
      ? [
          block(
            ["location", "@narinfo"],
            // Never what the client has spelled, with a query, say: it is not in the key.
            directive("proxy_pass", `http://${SERVER}$uri`),
            directive("proxy_cache", "nix_binary_cache_narinfo"),
            directive("proxy_cache_key", narinfo),
            directive("proxy_cache_valid", "200", `${settings.narinfoSeconds}s`),
            directive("proxy_cache_valid", "404", "2s"),
          ),
          block(
            ["location", "@nar"],
            directive("proxy_pass", `http://${SERVER}$nix_binary_cache_nar`),
            directive("proxy_cache", "nix_binary_cache_nar"),
            directive("proxy_cache_key", nar),
            directive("proxy_cache_valid", "200", `${settings.narDays}d`),
            // Repeated here: the location that leads here hands down none of its headers.
            directive("add_header", "Cache-Control", IMMUTABLE),
            directive("proxy_cache_lock", "on"),
            directive("proxy_cache_lock_age", READ_SECONDS),
            directive("proxy_force_ranges", "on"),
          ),
          block(["location", "@server"], directive("proxy_pass", `http://${SERVER}`)),
        ]
      : []),
  ];
}
