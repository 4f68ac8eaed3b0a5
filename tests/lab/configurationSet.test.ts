import { execFileSync } from "node:child_process";
import { join } from "node:path";

import { Lab, type LabHost } from "../../lab/lab";
import {
  configurationSet,
  directory,
  file,
  HOST_PROGRAMS,
  line,
  probe,
  user,
} from "../../render/configurationSet";
import { renderUnit } from "../../render/systemd";

jest.setTimeout(120_000);

const APPLY = `${HOST_PROGRAMS}/configuration-set`;
/** host/ as a tar archive, in text: the input of a command is one. */
const programs = execFileSync(
  "tar",
  ["--create", "--directory", join(__dirname, "../../host"), "."],
  { encoding: "utf8" },
);
const TARGET = "/etc/lab/target.conf";

describe("a configuration set on a host", () => {
  let lab: Lab;
  let host: LabHost;

  beforeAll(async () => {
    lab = await Lab.open({ name: "configuration-set" });
  });
  afterAll(() => lab.close());

  let count = 0;
  beforeEach(async () => {
    host = await lab.host({
      name: `host${++count}`,
      distribution: count % 2 === 0 ? "arch" : "debian",
    });
    await host.must(`mkdir -p ${HOST_PROGRAMS}`);
    await host.must(`tar --extract --directory ${HOST_PROGRAMS}`, { input: programs });
  });
  afterEach(() => host.kill());

  const apply = (lines: readonly string[], flags = ""): ReturnType<LabHost["run"]> =>
    host.run(`${APPLY} apply lab ${flags}`, { input: configurationSet("lab", lines) });
  const applied = async (lines: readonly string[], flags = ""): Promise<string> => {
    const { code, stdout, stderr } = await apply(lines, flags);
    if (code !== 0) throw new Error(`${stdout}${stderr}`);
    return stdout.trim();
  };
  const refused = async (lines: readonly string[], flags = ""): Promise<string> => {
    const { code, stdout, stderr } = await apply(lines, flags);
    if (code === 0) throw new Error(`expected a refusal, got: ${stdout}`);
    expect(code).toBe(1);
    return stderr;
  };
  const read = async (path: string): Promise<string> =>
    (await host.run(`cat ${path} 2>/dev/null || echo absent`)).stdout;
  const leftovers = (): Promise<string> =>
    host.must(
      "find / -xdev \\( -name '.*.nix-binary-cache' -o -name '*.nix-binary-cache' \\) -not -path '/proc/*'; ls -d /run/nix-binary-cache.?????? /var/lib/nix-binary-cache/transaction* 2>/dev/null || :",
    );

  /** A service whose content is told by a file, so that a restart can be seen. */
  const service = (command: string): string =>
    file(
      "/etc/systemd/system/lab.service",
      renderUnit([
        [
          "Service",
          [
            ["Type", "exec"],
            ["ExecStart", command],
          ],
        ],
        ["Install", [["WantedBy", "multi-user.target"]]],
      ]),
    );

  test("files land with owner, mode and every byte; the same text again changes nothing", async () => {
    const odd = `'quotes' "and" \`ticks\` $(reboot) $HOME %n * ? [a] \\ \\n\ttab  \ntrailing blanks  \n\n# ünïcode ✓\n| bar\nfile /etc/x\n`;
    const lines = [
      user("lab-user", "/var/lib/lab"),
      directory("/var/lib/lab", "lab-user:lab-user", "0750"),
      file("/var/lib/lab/odd", odd, "lab-user:lab-user", "0400"),
      file("/var/lib/lab/empty", ""),
    ];
    expect(await applied(lines)).toBe("lab: applied");
    expect(await host.must("cat /var/lib/lab/odd")).toBe(odd);
    expect(await host.must("cat /var/lib/lab/empty")).toBe("");
    expect(await host.must("stat --format='%a %U:%G' /var/lib/lab /var/lib/lab/odd")).toBe(
      "750 lab-user:lab-user\n400 lab-user:lab-user\n",
    );
    expect(await applied(lines)).toBe("lab: unchanged");
    expect(await leftovers()).toBe("");
  });

  test("a check sees the files as they will be, and its refusal changes nothing", async () => {
    await applied([file(TARGET, "one\n")]);
    const message = await refused([
      file(TARGET, "two\n"),
      line("check", `grep -qx two ${TARGET} && echo the check has seen two && false`),
    ]);
    expect(message).toBe(
      `lab: refused by: grep -qx two ${TARGET} && echo the check has seen two && false
the check has seen two
nothing was changed: the earlier configuration goes on
`,
    );
    expect(await read(TARGET)).toBe("one\n");
    expect(await leftovers()).toBe("");
  });

  test("a probe that fails brings the earlier set back, running", async () => {
    const tick = (text: string): string[] => [
      file(TARGET, `${text}\n`),
      service("/bin/sleep infinity"),
      line("enable", "lab.service"),
      line("restart", "lab.service"),
      line("run", `cp ${TARGET} /run/seen-by-service`),
    ];
    await applied([...tick("good"), probe(3, "grep -qx good /run/seen-by-service")]);
    const message = await refused([...tick("bad"), probe(1, "echo it is bad; false")]);
    expect(message).toContain(
      "lab: not seen to work within 1 s: echo it is bad; false\nit is bad\nthe last lines of lab.service:\n",
    );
    expect(message).toContain("the earlier configuration is back in place and works");
    expect(await read(TARGET)).toBe("good\n");
    expect(await read("/run/seen-by-service")).toBe("good\n");
    expect((await host.must("systemctl is-active lab.service")).trim()).toBe("active");
    expect(await leftovers()).toBe("");
  });

  test("a first set that does not work leaves nothing running and no files", async () => {
    const message = await refused([
      service("/bin/false"),
      line("enable", "lab.service"),
      line("restart", "lab.service"),
      probe(1, "systemctl is-active lab.service"),
    ]);
    expect(message).toContain("there was no earlier configuration; the files are gone again");
    expect(await read("/etc/systemd/system/lab.service")).toBe("absent\n");
    expect((await host.run("systemctl is-enabled lab.service")).stdout.trim()).toBe("not-found");
  });

  test("a foreign file is not overwritten; adopted, it comes back", async () => {
    await host.must(`mkdir -p /etc/lab && echo mine > ${TARGET} && chmod 600 ${TARGET}`);
    expect(await refused([file(TARGET, "ours\n")])).toBe(
      `lab: ${TARGET} was there before and is not this program's
nothing was changed. Move it away, or set 'adopt: true' for this host: the file is then kept and comes back on destroy.
`,
    );
    expect(await read(TARGET)).toBe("mine\n");
    await applied([file(TARGET, "ours\n")], "--adopt");
    expect(await read(TARGET)).toBe("ours\n");
    await applied([file(TARGET, "ours, changed\n")]);
    await host.must(`${APPLY} remove lab`);
    expect(await read(TARGET)).toBe("mine\n");
    expect(await host.must(`stat --format=%a ${TARGET}`)).toBe("600\n");
  });

  test("an adopted unit runs again with its own file, after a failure and after removal", async () => {
    const foreign =
      "[Service]\nExecStart=/bin/sleep 111111\n[Install]\nWantedBy=multi-user.target\n";
    await host.must(
      "cat > /etc/systemd/system/lab.service && systemctl daemon-reload && systemctl start lab",
      {
        input: foreign,
      },
    );
    const running = (): Promise<string> =>
      host.must("tr '\\0' ' ' < /proc/$(systemctl show -P MainPID lab)/cmdline");
    const ours = [
      service("/bin/sleep infinity"),
      line("enable", "lab.service"),
      line("restart", "lab.service"),
    ];
    await refused([...ours, probe(1, "false")], "--adopt");
    expect(await running()).toContain("111111");
    await applied(ours, "--adopt");
    expect(await running()).toContain("infinity");
    await host.must(`${APPLY} remove lab`);
    expect(await running()).toContain("111111");
    expect((await host.run("systemctl is-enabled lab")).stdout.trim()).toBe("disabled");
  });

  test("an original that was edited between two adoptions is the one that comes back", async () => {
    await host.must(`mkdir -p /etc/lab && echo first > ${TARGET}`);
    await applied([file(TARGET, "ours\n")], "--adopt");
    await applied([file("/etc/lab/other", "x\n")]);
    expect(await read(TARGET)).toBe("first\n");
    await host.must(`echo second > ${TARGET}`);
    await applied([file(TARGET, "ours\n")], "--adopt");
    await host.must(`${APPLY} remove lab`);
    expect(await read(TARGET)).toBe("second\n");
  });

  test("a directory that was there keeps its owner and mode, and stays", async () => {
    await host.must("mkdir /srv/mine && chown operator: /srv/mine && chmod 2775 /srv/mine");
    await applied([directory("/srv/mine"), file("/srv/mine/ours", "x\n")]);
    await host.must(`${APPLY} remove lab`);
    expect(await host.must("stat --format='%U %a' /srv/mine")).toBe("operator 2775\n");
  });

  test("a transaction cut off before it reached the disk harms no other set", async () => {
    await applied([file(TARGET, "one\n")]);
    await host.must(
      "mkdir /var/lib/nix-binary-cache/transaction && : > /var/lib/nix-binary-cache/transaction/set",
    );
    expect(await applied([file(TARGET, "one\n")])).toBe("lab: unchanged");
    await host.must("mkdir /var/lib/nix-binary-cache/transaction");
    expect(await applied([file(TARGET, "two\n")])).toBe("lab: applied");
  });

  test("a run cut off after its commit is finished, not undone", async () => {
    await applied([file(TARGET, "one\n")]);
    const state = "/var/lib/nix-binary-cache";
    await host.must(
      `cd ${state} && mkdir transaction && echo lab > transaction/set && : > transaction/committed && cp sets/lab/digest sets/lab/digest.new && echo stale > sets/lab/digest`,
    );
    expect(await applied([file(TARGET, "one\n")])).toBe("lab: unchanged");
  });

  test("what cannot be put back is kept and named", async () => {
    await host.must("mkdir -p /srv/gone && echo mine > /srv/gone/file");
    const message = await refused(
      [file("/srv/gone/file", "ours\n"), line("run", "mv /srv/gone /srv/away && false")],
      "--adopt",
    );
    expect(message).toContain(
      "these could not be put back: /srv/gone/file\ntheir copies are in /var/lib/nix-binary-cache/unrestored.",
    );
    expect(await host.must("cat /var/lib/nix-binary-cache/unrestored.*/backup.1")).toBe("mine\n");
    expect(await applied([file(TARGET, "one\n")])).toBe("lab: applied");
  });

  test("a link and a directory in a file's place are not taken for the file", async () => {
    await host.must(`mkdir -p /etc/lab /etc/lab/directory && ln -s /etc/hostname ${TARGET}`);
    expect(await refused([file(TARGET, "ours\n")])).toContain(`${TARGET} was there before`);
    await applied([file(TARGET, "ours\n")], "--adopt");
    expect(await host.must("cat /etc/hostname")).toBe(`${host.name}\n`);
    await host.must(`${APPLY} remove lab`);
    expect(await host.must(`readlink ${TARGET}`)).toBe("/etc/hostname\n");
    expect(await refused([file("/etc/lab/directory", "ours\n")], "--adopt")).toContain(
      "/etc/lab/directory is not a regular file",
    );
  });

  test("a file that was there with the same content is left there on removal", async () => {
    await host.must(`mkdir -p /etc/lab && echo same > ${TARGET} && chmod 644 ${TARGET}`);
    await applied([file(TARGET, "same\n")]);
    await host.must(`${APPLY} remove lab`);
    expect(await read(TARGET)).toBe("same\n");
  });

  test("what was edited by hand is overwritten only with a copy kept", async () => {
    await applied([file(TARGET, "one\n")]);
    await host.must(`echo by hand >> ${TARGET}`);
    expect(await applied([file(TARGET, "one\n")])).toMatch(
      /^lab: applied; edited by hand since the last run, copies kept: \/var\/lib\/nix-binary-cache\/edited\/target\.conf\./,
    );
    expect(await read(TARGET)).toBe("one\n");
    expect(await host.must("cat /var/lib/nix-binary-cache/edited/target.conf.*")).toBe(
      "one\nby hand\n",
    );
    await host.must(`echo again by hand >> ${TARGET}`);
    await host.must(`${APPLY} remove-all`);
    expect(await read(TARGET)).toBe("absent\n");
    expect(await host.must("cat /var/lib/nix-binary-cache/edited/* | grep -c hand")).toBe("2\n");
  });

  test("files and units that leave the set leave the host", async () => {
    await applied([
      file(TARGET, "one\n"),
      file("/etc/lab/second.conf", "two\n"),
      service("/bin/sleep infinity"),
      line("enable", "lab.service"),
    ]);
    await applied([file(TARGET, "one\n")]);
    expect(await read("/etc/lab/second.conf")).toBe("absent\n");
    expect(await read("/etc/systemd/system/lab.service")).toBe("absent\n");
    expect((await host.run("systemctl is-active lab.service")).stdout.trim()).toBe("inactive");
    expect(
      await host.must("ls /etc/systemd/system/multi-user.target.wants | grep -c lab || :"),
    ).toBe("0\n");
  });

  test("a power cut in the middle is undone by the next run", async () => {
    await applied([file(TARGET, "one\n")]);
    const cut = apply([
      file(TARGET, "two\n"),
      file("/etc/lab/new.conf", "new\n"),
      line("run", "sleep 600"),
    ]);
    await host.must(`until grep -qx two ${TARGET}; do sleep 0.05; done; sync`);
    await host.kill();
    await cut.catch(() => undefined);
    await host.boot();
    expect(await read(TARGET)).toBe("two\n");
    expect(await applied([file(TARGET, "three\n")])).toBe(
      "lab: an earlier run was cut off; undoing it first\nthe earlier configuration is back in place and works\nlab: applied",
    );
    expect(await read(TARGET)).toBe("three\n");
    expect(await read("/etc/lab/new.conf")).toBe("absent\n");
    expect(await leftovers()).toBe("");
  });

  test("a dropped connection does not cut off the work", async () => {
    const pid = host.run(`${APPLY} apply lab`, {
      input: configurationSet("lab", [file(TARGET, "one\n"), line("run", "sleep 3")]),
      timeoutSeconds: 1,
    });
    await pid.catch(() => undefined);
    await host.must(
      "until grep -q . /var/lib/nix-binary-cache/sets/lab/digest; do sleep 0.1; done",
      {
        timeoutSeconds: 20,
      },
    );
    expect(await applied([file(TARGET, "one\n"), line("run", "sleep 3")])).toBe("lab: unchanged");
  });

  test("two runs at once go one after the other; one that waits too long says who holds the lock", async () => {
    const slow = apply([file(TARGET, "one\n"), line("run", "sleep 4")]);
    await host.must("until grep -q apply /run/nix-binary-cache.lock; do sleep 0.05; done");
    const impatient = await host.run(`NIX_BINARY_CACHE_LOCK_SECONDS=1 ${APPLY} apply lab`, {
      input: configurationSet("lab", [file(TARGET, "two\n")]),
    });
    expect(impatient.code).toBe(1);
    expect(impatient.stderr).toMatch(
      /^lab: another run has held \/run\/nix-binary-cache\.lock for 1 s: pid [0-9]+, apply lab, since 20/,
    );
    const patient = apply([file(TARGET, "two\n")]);
    expect((await slow).code).toBe(0);
    expect((await patient).code).toBe(0);
    expect(await read(TARGET)).toBe("two\n");
  });

  test("a full disk refuses the set and leaves the earlier one", async () => {
    await host.must("mkdir -p /srv/small && mount -t tmpfs -o size=64k tmpfs /srv/small");
    await applied([file("/srv/small/file", "one\n")]);
    const message = await refused([file("/srv/small/file", `${"x".repeat(100_000)}\n`)]);
    expect(message).toContain("/srv/small/file cannot be written: ");
    expect(message).toContain("No space left on device");
    expect(await read("/srv/small/file")).toBe("one\n");
  });

  test("a content is never readable by more than its mode says, not even for a moment", async () => {
    await host.must("mkdir -p /srv/secret && chmod 755 /srv/secret");
    const watch = host.must(
      'while [ ! -e /run/lab-stop ]; do for f in /srv/secret/.[!.]* /srv/secret/*; do [ ! -s "$f" ] || stat --format=%a "$f"; done; done 2>/dev/null | sort -u',
    );
    for (let turn = 0; turn < 5; turn++) {
      await applied([file("/srv/secret/key", `secret ${turn}\n`, "root:root", "0400")]);
    }
    await host.must("touch /run/lab-stop");
    const modes = await watch;
    expect(modes.trim()).toBe("400");
  });

  test("the text of a set is checked before anything is done", async () => {
    const { code, stderr } = await host.run(`${APPLY} apply lab`, {
      input: `configuration-set 1 lab\nfile ${TARGET} root:root 0644\n| x\nrestrat lab.service\nfile /etc/../x root:root 644\n`,
    });
    expect(code).toBe(1);
    expect(stderr).toBe(
      `line 4: not a line of a configuration set: restrat lab.service
line 5: not an absolute, plain path: file /etc/../x root:root 644
line 5: not a mode of four digits: file /etc/../x root:root 644
lab: the text of the set was not understood; nothing was changed
`,
    );
    expect(await read(TARGET)).toBe("absent\n");
  });

  test("remove-all takes away all sets, the last one first, and then itself and its state", async () => {
    await applied([
      file(TARGET, "one\n"),
      user("lab-user", "/nonexistent"),
      line("group", "lab-group"),
      line("made", "/var/lib/lab-made"),
    ]);
    await host.must("mkdir -p /var/lib/lab-made/deep && touch /var/lib/lab-made/deep/file");
    expect(await host.must(`${APPLY} remove-all`)).toBe("lab: removed\n");
    expect(
      await host.must(
        "getent passwd lab-user; getent group lab-group; ls -d /etc/lab /var/lib/lab-made /var/lib/nix-binary-cache 2>/dev/null || echo all gone",
      ),
    ).toBe("all gone\n");
    expect(await host.must(`${APPLY} remove-all; ${APPLY} remove lab`)).toBe(
      "lab: nothing to remove\n",
    );
  });
});
