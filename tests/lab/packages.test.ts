import { readFileSync } from "node:fs";
import { join } from "node:path";

import { Lab, type LabHost } from "../../lab/lab";
import { shellQuote } from "../../render/shell";

jest.setTimeout(120_000);

const PACKAGES = readFileSync(join(__dirname, "..", "..", "host", "packages"), "utf8");

describe.each(["debian", "arch"] as const)("packages on %s", (distribution) => {
  let lab: Lab;
  let host: LabHost;
  const install = (words: string): ReturnType<LabHost["run"]> =>
    host.run(`bash -s -- ${distribution} ${words}`, { input: PACKAGES });
  const installed = async (name: string): Promise<boolean> => {
    const query = distribution === "debian" ? "dpkg-query --show" : "pacman --query";
    return (await host.run(`${query} ${shellQuote(name)} 2>/dev/null | grep -q .`)).code === 0;
  };
  const nix =
    distribution === "debian"
      ? "nix-daemon.socket=nix-bin,nix-setup-systemd"
      : "nix-daemon.socket=nix";
  const nixPackage = distribution === "debian" ? "nix-bin" : "nix";

  beforeAll(async () => {
    lab = await Lab.open({ name: `packages-${distribution}` });
  });
  afterAll(() => lab.close());
  let count = 0;
  beforeEach(async () => {
    host = await lab.host({ name: `host${++count}`, distribution });
  });
  afterEach(() => host.kill());

  test("what is missing is installed, and a second run does nothing", async () => {
    expect(await installed("nginx")).toBe(false);
    expect((await install(`nginx ${nix}`)).code).toBe(0);
    expect(await installed("nginx")).toBe(true);
    expect(await installed(nixPackage)).toBe(true);
    expect(await install(`nginx ${nix}`)).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("a Nix that came another way is kept", async () => {
    const unit = "/etc/systemd/system/nix-daemon.socket";
    await host.must(
      `printf '[Socket]\\nListenStream=/run/lab.socket\\n' > ${unit} && systemctl daemon-reload`,
    );
    expect((await install(nix)).code).toBe(0);
    expect(await installed(nixPackage)).toBe(false);
  });

  test("a package that does not exist fails with the package manager's words", async () => {
    const { code, stdout, stderr } = await install("no-such-package");
    expect(code).not.toBe(0);
    expect(`${stdout}${stderr}`).toContain("no-such-package");
  });
});

test("a host of the lab boots within 5 seconds once the base exists", async () => {
  const lab = await Lab.open({ name: "boot" });
  try {
    const started = Date.now();
    await lab.host({ name: "quick", distribution: "debian" });
    expect(Date.now() - started).toBeLessThan(5000);
  } finally {
    await lab.close();
  }
});
