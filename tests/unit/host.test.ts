import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import fc from "fast-check";

import { bootstrapText } from "../../components/remote/hostPrograms";
import { configurationSet, file } from "../../render/configurationSet";
import { packagesSet, programSet } from "../../render/hostSets";
import { serverSet } from "../../render/serverSet";
import { siteSet } from "../../render/siteSet";
import { type Finished, isInstalled, run, temporaryDirectory } from "./support/processes";
import { server, site } from "./support/samples";

const HOST = join(__dirname, "..", "..", "host");
const work = temporaryDirectory();
const FEW = { numRuns: 15 };

/** A directory of commands: some of this machine, some that are stood in for by a script. */
function commands(real: readonly string[], scripts: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(work, "bin-"));
  for (const name of real) {
    symlinkSync(
      run("sh", ["-c", 'command -v "$1"', "sh", name]).stdout.trim(),
      join(directory, name),
    );
  }
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(directory, name), `#!/bin/bash\n${script}\n`);
    chmodSync(join(directory, name), 0o755);
  }
  return directory;
}

/** Debian has mawk, Arch has gawk, and what one accepts the other may not. */
const AWKS = ["gawk", "mawk"].filter(isInstalled);
for (const awk of ["gawk", "mawk"]) {
  if (!AWKS.includes(awk))
    console.warn(`${awk} is missing: the programs of hosts that have it are not tested with it`);
}

describe.each(AWKS)("the reader of configuration sets, by %s", (awk) => {
  /** What the reader makes of a text: the lines it prints, and the contents it writes. */
  function read(text: string, name = "site"): Finished & { readonly contents: readonly string[] } {
    const directory = mkdtempSync(join(work, "set-"));
    const path = join(directory, "text");
    writeFileSync(path, text);
    const program = join(HOST, "configuration-set.awk");
    const words = ["-v", `work=${directory}`, "-v", `name=${name}`, "-f", program, path];
    const finished = run(awk, words);
    const contents = readdirSync(directory)
      .filter((entry) => entry.startsWith("content."))
      .map((entry) => Number(entry.slice("content.".length)))
      .sort((one, other) => one - other)
      .map((number) => readFileSync(join(directory, `content.${number}`), "utf8"));
    return { ...finished, contents };
  }

  test("prints the lines and writes the contents", () => {
    const text = `configuration-set 1 site
# a comment

file /etc/one root:root 0644
| first
|
|   # third
file /etc/empty root:root 0600
directory /srv/cache a:b 0755
made /var/log/x.log
group nix-users
user nix-serve /var/lib/nix-serve
filter /etc/nginx/nginx.conf program --word x=1
  # a comment too
check nginx -t
run echo "a b"   c
enable a.service
restart a.service
try-restart a.service
reload a.service
probe 30 curl x | grep -q y
file /etc/two root:root 0644
| last
`;
    expect(read(text)).toEqual({
      status: 0,
      stderr: "",
      stdout: `file /etc/one root:root 0644
file /etc/empty root:root 0600
directory /srv/cache a:b 0755
made /var/log/x.log
group nix-users
user nix-serve /var/lib/nix-serve
filter /etc/nginx/nginx.conf program --word x=1
check nginx -t
run echo "a b"   c
enable a.service
restart a.service
try-restart a.service
reload a.service
probe 30 curl x | grep -q y
file /etc/two root:root 0644
`,
      contents: ["first\n\n  # third\n", "", "last\n"],
    });
  });

  test("gives every content back as it was", () => {
    const contentLine = fc
      .oneof(
        fc.string({ unit: "binary", maxLength: 30 }),
        fc.constantFrom("", "|", "| x", " ", "#", "file /etc/x root:root 0644", "\\n", "%s", "&"),
      )
      .map((line) => line.replaceAll(/[\0\r\n]/g, ""));
    const content = fc
      .array(contentLine, { maxLength: 6 })
      .map((lines) => lines.map((line) => `${line}\n`).join(""));
    fc.assert(
      fc.property(fc.array(content, { minLength: 1, maxLength: 20 }), (contents) => {
        const lines = contents.map((each, index) => file(`/etc/${index}`, each));
        const { status, stderr, contents: found } = read(configurationSet("site", lines));
        expect({ status, stderr, found }).toEqual({ status: 0, stderr: "", found: contents });
      }),
      FEW,
    );
  });

  test("understands every set that the product writes", () => {
    const nixpkgs = "github:NixOS/nixpkgs/nixos-26.05";
    const programs = [{ name: "x", text: "#!/bin/sh\n", executable: true }];
    const sets = [
      programSet(programs, "debian"),
      siteSet(site({ server: "none" })),
      siteSet(site()),
      ...(["nix-serve", "nix-serve-ng", "harmonia"] as const).flatMap((kind) => [
        serverSet(server({ server: kind })),
        packagesSet({ family: "arch", server: kind, nixpkgs }),
      ]),
    ];
    for (const set of sets) {
      const [first = ""] = set.split("\n");
      const { status, stderr, stdout } = read(set, first.split(" ")[2]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(`${first}\n${stdout}`).toBe(set.replaceAll(/^\|.*\n/gm, ""));
    }
  });

  const unsafe = "not an absolute, plain path";
  const unknown = "not a line of a configuration set";
  const mode = "not a mode of four digits";
  test.each([
    ["frobnicate x", unknown],
    ["file /etc/x root:root", unknown],
    ["directory /etc/x", unknown],
    ["made", unknown],
    ["probe 30", unknown],
    ["user nix-serve", unknown],
    ["enable", unknown],
    ["file etc/x root:root 0644", unsafe],
    ["file /etc/../x root:root 0644", unsafe],
    ["file /etc/.. root:root 0644", unsafe],
    ["file /etc/./x root:root 0644", unsafe],
    ["file /etc/$x root:root 0644", unsafe],
    ["file /etc/x;y root:root 0644", unsafe],
    ["file /etc/* root:root 0644", unsafe],
    ["directory srv root:root 0755", unsafe],
    ["made ../x", unsafe],
    ["filter ~/x program", unsafe],
    ["file /etc/x root:root 644", mode],
    ["file /etc/x root:root 0888", mode],
    ["directory /etc/x root:root u+x", mode],
    ["|", "content without a file"],
    ["| content", "content without a file"],
  ])("refuses the line %j with its number", (line, complaint) => {
    const { status, stderr } = read(`configuration-set 1 site\n\n${line}\n`);
    expect({ status, stderr }).toEqual({
      status: 1,
      // A content may be a secret.
      stderr: `line 3: ${complaint}: ${line.startsWith("|") ? "(content)" : line}\n`,
    });
  });

  test("refuses a content whose bar stands alone with its text, and one behind another line, and shows neither", () => {
    const set =
      "configuration-set 1 site\nfile /etc/x root:root 0644\n|hunter2\nrun true\n| hunter2\n";
    const { status, stderr } = read(set);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `line 3: a blank must follow the bar: (content)
line 5: content without a file: (content)
`,
    });
  });

  test.each([
    ["configuration-set 2 site"],
    ["configuration-set 1 server"],
    ["file /etc/x a:b 0644"],
  ])("refuses the first line %j", (line) => {
    const { status, stderr } = read(`${line}\n`);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `line 1: the first line must be "configuration-set 1 site": ${line}\n`,
    });
  });

  test("refuses nothing at all", () => {
    const { status, stderr } = read("");
    expect({ status, stderr }).toEqual({ status: 1, stderr: "the text is empty\n" });
  });

  test("complains of all lines at once", () => {
    const { status, stderr } = read("configuration-set 1 site\none\ntwo\n");
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `line 2: ${unknown}: one\nline 3: ${unknown}: two\n`,
    });
  });
});

describe.each(AWKS)("the filter of nginx.conf, by %s", (awk) => {
  const path = commands(["bash", "cat", awk], { awk: `exec ${awk} "$@"` });

  const INCLUDE = "include=/etc/nginx/nix-binary-cache.conf";
  const CONNECTIONS = "worker_connections=4096";
  const ADDED = "    include /etc/nginx/nix-binary-cache.conf; # nix-binary-cache: added\n";

  function filter(input: string, ...words: readonly string[]): Finished {
    const program = join(HOST, "nginx-main-configuration");
    return run("/bin/bash", [program, ...words], { input, environment: { PATH: path } });
  }

  /** The filtered text of an input that is accepted. */
  function filtered(input: string, ...words: readonly string[]): string {
    const { status, stdout, stderr } = filter(input, ...words);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return stdout;
  }

  const ORIGINAL = `user http;
# http {
events {
    worker_connections  1024;  # enough
}

http {
    include       mime.types;
    #include /etc/nginx/nix-binary-cache.conf;
    server {
        return 200 'a } of no meaning';
    }
}
`;
  const CHANGED = `user http;
# http {
events {
    worker_connections 4096;  # enough # nix-binary-cache: was     worker_connections  1024;  # enough
}

http {
    include       mime.types;
    #include /etc/nginx/nix-binary-cache.conf;
    server {
        return 200 'a } of no meaning';
    }
    include /etc/nginx/nix-binary-cache.conf; # nix-binary-cache: added
}
`;

  test("adds an include once, at the end, and raises worker_connections, each with a mark", () => {
    expect(filtered(ORIGINAL, INCLUDE, CONNECTIONS)).toBe(CHANGED);
    expect(filtered(CHANGED, INCLUDE, CONNECTIONS)).toBe(CHANGED);
  });

  test("takes its changes out again, byte by byte", () => {
    expect(filtered(CHANGED, "--undo")).toBe(ORIGINAL);
    expect(filtered(ORIGINAL, "--undo")).toBe(ORIGINAL);
  });

  test("follows other settings as if they were the first", () => {
    expect(filtered(CHANGED, INCLUDE, "worker_connections=512")).toBe(
      `${ORIGINAL.slice(0, -2)}${ADDED}}\n`,
    );
    expect(filtered(CHANGED, CONNECTIONS)).toBe(CHANGED.replace(ADDED, ""));
    expect(filtered(CHANGED)).toBe(ORIGINAL);
  });

  test.each([
    [
      "lower",
      "768",
      "    worker_connections 4096; # nix-binary-cache: was     worker_connections 768;",
    ],
    ["the same", "4096", "    worker_connections 4096;"],
    ["higher", "10000", "    worker_connections 10000;"],
  ])("raises worker_connections only where it is lower: %s", (_, number, wanted) => {
    const around = (line: string): string => `events {\n${line}\n}\n`;
    expect(filtered(around(`    worker_connections ${number};`), CONNECTIONS)).toBe(around(wanted));
  });

  test("finds worker_connections in a block of one line, and not in a comment", () => {
    expect(
      filtered("events { worker_connections 10; }\n# worker_connections 5;\n", CONNECTIONS),
    ).toBe(
      "events { worker_connections 4096; } # nix-binary-cache: was events { worker_connections 10; }\n# worker_connections 5;\n",
    );
  });

  test("adds no include to a file that has it already", () => {
    const own = "http {\n\tinclude /etc/nginx/nix-binary-cache.conf;\n}\n";
    expect(filtered(own, INCLUDE)).toBe(own);
    expect(filtered(own, "--undo")).toBe(own);
  });

  test("keeps a file whose last line has no end as it is", () => {
    const original = ORIGINAL.slice(0, -1);
    expect(filtered(original)).toBe(original);
    expect(filtered(filtered(original, INCLUDE, CONNECTIONS), "--undo")).toBe(original);
  });

  test("can be undone, and does nothing the second time, whatever the file looks like", () => {
    const blank = fc.constantFrom("", " ", "\t", "    ", "  \t");
    const ending = fc.constantFrom("", " # why } {", "\t#why", " ", "\r");
    const line = (...words: readonly string[]): fc.Arbitrary<string> =>
      fc.tuple(blank, fc.constantFrom(...words), ending).map((parts) => `${parts.join("")}\n`);
    const simple = line(
      "",
      "user http;",
      "# http {",
      "#include /etc/nginx/nix-binary-cache.conf;",
      "log_format x '$host } \"a\\tb\" & \\\\ %s é';",
      "events { worker_connections 1024; }",
      "worker_connections\t768 ;",
      "worker_connections 100000;",
      "server { listen 80; }",
    );
    const server = fc.tuple(line("server {"), simple, line("}")).map((parts) => parts.join(""));
    const some = fc
      .array(fc.oneof(simple, server), { maxLength: 6 })
      .map((parts) => parts.join(""));
    const open = fc.oneof(line("http {", "http{", "http\t{"), fc.constant("http\n{\n"));
    const close = fc
      .tuple(blank, fc.constantFrom("}", "} ", "} # end"))
      .map((parts) => `${parts.join("")}\n`);
    const lines = fc.tuple(some, open, some, close, some).map((parts) => parts.join(""));
    fc.assert(
      fc.property(lines, (original) => {
        const once = filtered(original, INCLUDE, CONNECTIONS);
        expect(once).toContain(ADDED);
        expect(once.split("\n")).toHaveLength(original.split("\n").length + 1);
        expect(filtered(once, INCLUDE, CONNECTIONS)).toBe(once);
        expect(filtered(once, "--undo")).toBe(original);
      }),
      FEW,
    );
  });

  test.each([
    ["two http blocks", "http {\n}\nhttp {\n}\n"],
    ["none", "events {\n}\n"],
    ["one on a single line", "http { include x; }\n"],
    ["one that never ends", "http {\n  server {\n  }\n"],
    ["one that ends beside something else", "http {\n  server {\n  }}\n"],
    ["lines that end as on Windows", "http {\r\n}\r\n"],
  ])("refuses to add an include to a file with %s", (_, input) => {
    const { status, stderr } = filter(input, INCLUDE);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr:
        'the http block of nginx.conf was not recognised: add "include /etc/nginx/nix-binary-cache.conf;" at its end by hand\n',
    });
    expect(filtered(input, CONNECTIONS)).toBe(input);
  });

  const usage =
    "usage: nginx-main-configuration [include=PATH] [worker_connections=NUMBER] | --undo\n";
  test.each([
    ["--help", usage],
    ["include=relative", usage],
    ["worker_connections=many", "not a number: worker_connections=many\n"],
    ["worker_connections=", "not a number: worker_connections=\n"],
  ])("refuses the argument %s", (word, stderr) => {
    expect(filter(ORIGINAL, word)).toEqual({ status: 2, stdout: "", stderr });
  });
});

describe("configuration-set", () => {
  const program = join(HOST, "configuration-set");
  const usage = `usage: configuration-set apply NAME [--owner OWNER] [--adopt] [--run NUMBER] < TEXT
       configuration-set remove NAME [--owner OWNER]
       configuration-set remove-all [--owner OWNER]
       configuration-set list
--owner OWNER  who this host belongs to from now on; a removal by another than the last is refused
--adopt        take over files that something else wrote; they are kept and come back on removal
--run NUMBER   do everything again, also where the text is the one applied last
TEXT is a configuration set; configuration-set.md beside this program describes its lines.
Exit codes: 0 done or nothing to do, 1 refused or failed (the earlier set is back), 2 wrong usage.
`;

  test.each(["--help", "-h"])("prints its usage with %s", (word) => {
    expect(run(program, [word])).toEqual({ status: 0, stdout: usage, stderr: "" });
  });

  test.each([
    [[]],
    [["frobnicate"]],
    [["apply"]],
    [["apply", "Bad/Name"]],
    [["remove", ""]],
    [["apply", "site", "--unknown"]],
    [["apply", "site", "--run"]],
    [["apply", "site", "--owner"]],
    [["apply", "site", "--owner", "p/s/h", "--run"]],
    [["remove"]],
    [["remove", "site", "--owner"]],
    [["remove", "site", "other"]],
    [["remove-all", "--owner"]],
    [["remove-all", "site"]],
    [["list", "all"]],
  ])("refuses the words %j before it touches anything", (words) => {
    expect(run(program, words)).toEqual({ status: 2, stdout: "", stderr: usage });
  });
});

test("every program that is run by itself stops at its first error", () => {
  const programs = readdirSync(HOST)
    .map((name) => [name, readFileSync(join(HOST, name), "utf8")] as const)
    .filter(([, text]) => text.startsWith("#!"));
  expect(programs.length).toBeGreaterThan(0);
  for (const [name, text] of programs) {
    expect([name, /^set -euo pipefail$/m.test(text)]).toEqual([name, true]);
  }
});

describe("bootstrap", () => {
  test.each([
    ["no options", [], ""],
    [
      "its options",
      ["--owner", "p/s/my host", "--run", "2"],
      " [--owner] [p/s/my host] [--run] [2]",
    ],
  ])(
    "unpacks the programs, has one of them apply the set with %s, and leaves nothing",
    (_, options, passed) => {
      const place = join(work, "bootstrap");
      const path = commands(["bash", "cat", "awk", "rm"], {
        mktemp: `echo '${place}'`,
      });
      const applier = `#!/bin/bash
cd "\${0%/*}"
echo "$1 $2\${3+\$(printf ' [%s]' "\${@:3}")}"
/bin/ls
/bin/cat other
echo ==
/bin/cat
`;
      const set = programSet(
        [
          { name: "configuration-set", text: applier, executable: true },
          { name: "other", text: "one\n\n  | three\n", executable: false },
        ],
        "debian",
      );
      mkdirSync(place);
      const finished = run("/bin/bash", ["-s", "--", ...options], {
        input: bootstrapText() + set,
        environment: { PATH: path },
      });
      expect(finished).toEqual({
        status: 0,
        stderr: "",
        stdout: `apply program${passed}\nconfiguration-set\nother\ntext\none\n\n  | three\n==\n${set}`,
      });
      expect(existsSync(place)).toBe(false);
    },
  );
});

describe("forget-narinfo", () => {
  const program = join(HOST, "forget-narinfo");

  test("deletes the files below a directory and nothing else", () => {
    const directory = join(work, "narinfo");
    mkdirSync(join(directory, "a", "b"), { recursive: true });
    writeFileSync(join(directory, "a", "b", "kept-answer"), "x");
    writeFileSync(join(work, "outside"), "x");
    symlinkSync(join(work, "outside"), join(directory, "link"));
    expect(run(program, [directory])).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(existsSync(join(directory, "a", "b", "kept-answer"))).toBe(false);
    expect(existsSync(join(directory, "a", "b"))).toBe(true);
    expect(existsSync(join(work, "outside"))).toBe(true);
  });

  test("has nothing to do where nginx has kept nothing yet", () => {
    const missing = join(work, "nothing-here");
    expect(run(program, [missing])).toEqual({ status: 0, stdout: "", stderr: "" });
  });
});

describe("nginx-check", () => {
  const NAMES = ["cachy.local", "cache.example.org"];

  /** Runs the program beside an nginx that says some words and accepts its configuration or not. */
  function check(words: string, status = 0, names: readonly string[] = NAMES): Finished {
    const path = commands(["bash", "grep", "sed"], {
      nginx: `[ "$*" = "-t -q" ] || exit 99\nprintf '%s' "$WORDS" >&2\nexit ${status}`,
    });
    const environment = { PATH: path, WORDS: words };
    return run("/bin/bash", [join(HOST, "nginx-check"), ...names], { environment });
  }

  const conflict = (name: string, address = "0.0.0.0:80"): string =>
    `nginx: [warn] conflicting server name "${name}" on ${address}, ignored\n`;

  test("is content where nginx is", () => {
    expect(check("")).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  test("says what nginx says where it refuses its configuration", () => {
    const words = `nginx: [emerg] unknown directive "x" in /etc/nginx/nginx.conf:3
nginx: configuration file /etc/nginx/nginx.conf test failed
`;
    expect(check(words, 1)).toEqual({ status: 1, stdout: words, stderr: "" });
    // The refusal is told before any conflict.
    const both = `${conflict("cachy.local")}${words}`;
    expect(check(both, 1)).toEqual({ status: 1, stdout: both, stderr: "" });
  });

  test.each(NAMES)("refuses a site of the name %s beside that of another", (name) => {
    const { status, stdout, stderr } = check(conflict(name) + conflict(name, "[::]:80"));
    expect({ status, stderr }).toEqual({ status: 1, stderr: "" });
    // Files of this very machine, if it has an nginx, would follow.
    expect(stdout.split("\n").filter((line) => !line.startsWith("see "))).toEqual([
      `another site of this nginx has the name ${name}: remove that site, or give this cache another domain`,
      "",
    ]);
  });

  test("has nothing to say of other warnings, and of the names of others", () => {
    const others = [
      'nginx: [warn] the "user" directive makes sense only if the master process runs\n',
      conflict("other.local"),
      conflict("www.cachy.local"),
      conflict("cachyxlocal"),
    ];
    expect(check(others.join(""))).toEqual({ status: 0, stdout: "", stderr: "" });
  });
});

describe("packages", () => {
  const log = join(work, "package-log");

  /** Runs the program beside stand-ins that note how they were called. */
  function install(words: readonly string[], scripts: Readonly<Record<string, string>>): Finished {
    writeFileSync(log, "");
    const path = commands(["bash", "grep", "cat"], { systemctl, ...scripts });
    const environment = { PATH: path, LOG: log };
    return run("/bin/bash", [join(HOST, "packages"), ...words], { environment });
  }

  /** The one unit that systemd knows here. */
  const systemctl = '[ "$*" = "cat present.socket" ]';
  const note = 'echo "${0##*/} $*" >> "$LOG"';
  const debian = {
    "dpkg-query": '[ "${*: -1}" != curl ] || echo installed',
    dpkg: note,
    "apt-get": note,
    ls: `${note}; [ "$*" = "-A /var/lib/dpkg/updates" ]`,
  };
  const installed = `apt-get --quiet --option DPkg::Lock::Timeout=300 update
apt-get --quiet --yes --no-install-recommends --option DPkg::Lock::Timeout=300 --option Dpkg::Options::=--force-confdef --option Dpkg::Options::=--force-confold install`;
  const arch = (installation: string): Record<string, string> => ({
    pacman: `${note}\ncase $1 in --query) [ "\${*: -1}" = curl ] ;; --sync) ${installation} ;; esac`,
  });

  test("installs what is missing on Debian, and in place of a unit what is missing of it", () => {
    const words = ["debian", "curl", "nginx", "absent.socket=one,curl,two", "present.socket=three"];
    expect(install(words, debian)).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(readFileSync(log, "utf8")).toBe(`dpkg --audit
ls -A /var/lib/dpkg/updates
${installed} nginx one two
`);
  });

  test.each([
    ["dpkg says so", { dpkg: `${note}; [ "$1" != --audit ] || echo half-installed` }],
    ["dpkg left its notes", { ls: `${note}; echo 0001` }],
  ])("finishes first on Debian what was cut off, where %s", (_, scripts) => {
    expect(install(["debian", "nginx"], { ...debian, ...scripts })).toEqual({
      status: 0,
      stdout: "",
      stderr: "",
    });
    expect(readFileSync(log, "utf8")).toBe(`dpkg --audit
ls -A /var/lib/dpkg/updates
dpkg --configure -a
${installed} nginx
`);
  });

  test("installs on Arch in place of a unit what is missing of it", () => {
    expect(install(["arch", "absent.socket=one", "present.socket=two"], arch(":")).status).toBe(0);
    const calls = readFileSync(log, "utf8").trim().split("\n");
    expect(calls[0]).toBe("pacman --query --quiet one");
    expect(calls.at(-1)).toBe("pacman --sync --needed --noconfirm one");
    expect(calls.join("\n")).not.toContain("two");
  });

  test("calls no package manager where nothing is missing", () => {
    expect(install(["debian", "curl", "present.socket=three"], debian)).toEqual({
      status: 0,
      stdout: "",
      stderr: "",
    });
    expect(readFileSync(log, "utf8")).toBe("");
    expect(install(["arch", "curl"], arch(":")).status).toBe(0);
    expect(readFileSync(log, "utf8")).toBe("pacman --query --quiet curl\n");
  });

  test("upgrades nothing on Arch, where that would be a partial upgrade", () => {
    expect(install(["arch", "curl", "nginx"], arch(":")).status).toBe(0);
    const calls = readFileSync(log, "utf8").trim().split("\n");
    expect(calls.at(-1)).toBe("pacman --sync --needed --noconfirm nginx");
    expect(calls.filter((call) => call.includes("upgrade") || call.includes("-Sy"))).toEqual([]);
  });

  test("says what to do where pacman does not find a file any more", () => {
    expect(install(["arch", "nginx"], arch("[ $2 = --refresh ]"))).toEqual({
      status: 1,
      stderr: "",
      stdout: `pacman could not install nginx. If a file was not found, this host's package lists are old:
upgrade it with 'pacman -Syu', then run 'pulumi up' again
`,
    });
  });
});

describe("ask-host-key", () => {
  const program = readFileSync(join(HOST, "..", "components", "remote", "ask-host-key"), "utf8");

  function ask(keyscan: string, seconds = 0): Finished {
    const path = commands(["bash", "awk"], { "ssh-keyscan": keyscan, sleep: ":" });
    const words = ["-s", "--", "cachy.local", "2222", String(seconds)];
    return run("/bin/bash", words, { input: program, environment: { PATH: path, WORK: work } });
  }

  const answer = '{ echo "# $*"; echo "[cachy.local]:2222 $4 AAAA"; }';

  test("prints the key of ed25519 that the host shows", () => {
    expect(ask(`[ "$4" = ed25519 ] && ${answer}`)).toEqual({
      status: 0,
      stdout: "ed25519 AAAA\n",
      stderr: "",
    });
    expect(ask('[ "$*" = "-T 5 -t ed25519 -p 2222 cachy.local" ] && echo "h t k"').stdout).toBe(
      "t k\n",
    );
  });

  test("prints that of ecdsa where there is none of ed25519", () => {
    expect(ask(`[ "$4" = ecdsa ] && ${answer}`).stdout).toBe("ecdsa AAAA\n");
  });

  test("asks a host again that is still booting", () => {
    const keyscan = `[ -e "$WORK/booted" ] && ${answer} || { [ "$4" = ed25519 ] || : > "$WORK/booted"; exit 1; }`;
    expect(ask(keyscan, 60).stdout).toBe("ed25519 AAAA\n");
  });

  test("fails where no host answers in time", () => {
    expect(ask("exit 1")).toEqual({
      status: 1,
      stdout: "",
      stderr: "no ssh server at cachy.local port 2222 shows an ed25519 or ecdsa host key\n",
    });
  });
});
