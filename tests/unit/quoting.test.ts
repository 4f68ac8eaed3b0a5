import fc from "fast-check";

import { hostProgram } from "../../render/configurationSet";
import { block, directive, nginxValue, renderNginx } from "../../render/nginx";
import { nixString, type NixValue, renderNix } from "../../render/nix";
import { shellCommand, shellQuote } from "../../render/shell";
import { renderUnit, unitWord } from "../../render/systemd";
import { parseNginx } from "./support/nginxText";
import { evaluate, testWithNix } from "./support/nixExpressions";
import { isInstalled, run } from "./support/processes";

const evaluated = testWithNix();

/** Texts of any characters that can stand in a file name or an argument, so without NUL. */
const text = fc
  .oneof(
    fc.string({ unit: "binary", maxLength: 20 }),
    fc.string({ unit: fc.constantFrom(..."'\"\\$(){}`*?[]~!#&;|<>%= \t\n\r-aé"), maxLength: 20 }),
    fc.constantFrom("$(id)", "`id`", "${HOME}", "*", "~", "-n", "%s", "'", "\\", "\\'", "$'\\n'"),
  )
  .map((value) => value.replaceAll("\0", ""));
const texts = fc.array(text, { minLength: 1, maxLength: 60 });
/** Each run starts a process; sixty texts go into each. */
const FEW = { numRuns: 12 };

describe("a word of a shell command line", () => {
  test.each(["bash", "dash", "sh"])("is what it was before it was quoted, to %s", (shell) => {
    if (!isInstalled(shell)) throw new Error(`${shell} is missing on this machine`);
    fc.assert(
      fc.property(texts, (words) => {
        const script = `printf '%s\\0' ${words.map(shellQuote).join(" ")}`;
        const { status, stdout, stderr } = run(shell, ["-c", script]);
        expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
        expect(stdout.split("\0").slice(0, -1)).toEqual(words);
      }),
      FEW,
    );
  });

  test("is quoted only where it must be", () => {
    expect(
      ["a", "/nix/store:x=1,@2%+_-.", "", "a b", "it's", "$HOME", "*", "~"].map(shellQuote),
    ).toEqual([
      "a",
      "/nix/store:x=1,@2%+_-.",
      "''",
      "'a b'",
      "'it'\\''s'",
      "'$HOME'",
      "'*'",
      "'~'",
    ]);
    expect(shellCommand(["curl", "--max-time", 5, "http://a b"])).toBe(
      "curl --max-time 5 'http://a b'",
    );
    expect(hostProgram("probe-cache", "a;b", 5)).toBe(
      "/usr/local/lib/nix-binary-cache/probe-cache 'a;b' 5",
    );
  });

  test("cannot hold a NUL", () => {
    expect(() => shellQuote("a\0b")).toThrow(new Error("a NUL cannot stand in a command line"));
  });
});

describe("a word of a systemd unit", () => {
  /** Takes quotes, escapes, specifiers and variables out as systemd.service(5) says. */
  function readWord(word: string): string {
    const quoted = /^"(.*)"$/s.exec(word)?.[1];
    const escapes: Readonly<Record<string, string>> = { "\\n": "\n", "\\\\": "\\", '\\"': '"' };
    const plain =
      quoted === undefined
        ? word
        : quoted.replaceAll(/\\[\s\S]/g, (escape) => escapes[escape] ?? `unknown ${escape}`);
    if (quoted === undefined && /[\s"'\\;]/.test(word)) throw new Error(`not one word: ${word}`);
    return plain.replaceAll(/%%|\$\$|[%$]/g, (found) => found[1] ?? `unknown ${found}`);
  }

  test("is what it was before it was escaped", () => {
    fc.assert(
      fc.property(text, (word) => {
        expect(readWord(unitWord(word))).toBe(word);
      }),
    );
  });

  test("is escaped only where it must be", () => {
    expect(["--listen", "%t/$x", "a b", 'say "hi"', "back\\slash", "", ";"].map(unitWord)).toEqual([
      "--listen",
      "%%t/$$x",
      '"a b"',
      '"say \\"hi\\""',
      '"back\\\\slash"',
      '""',
      '";"',
    ]);
  });

  test("cannot be told on two lines", () => {
    expect(() => renderUnit([["Service", [["ExecStart", "a\nb"]]]])).toThrow(
      new Error("ExecStart= cannot hold a newline"),
    );
  });

  test("and its unit is laid out section by section", () => {
    const unit = renderUnit([
      ["Unit", [["Description", "A unit"]]],
      [
        "Service",
        [
          ["Restart", true],
          ["RestartSec", 2],
          ["Environment", "A=1"],
          ["Environment", "B=2"],
        ],
      ],
    ]);
    expect(unit).toBe(`[Unit]
Description=A unit

[Service]
Restart=yes
RestartSec=2
Environment=A=1
Environment=B=2
`);
  });
});

describe("a word of an nginx directive", () => {
  const word = text.map((value) => value.replaceAll(/[\r\n]/g, ""));

  test("is what it was before it was quoted, to a reader by nginx's rules", () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (words) => {
        const rendered = renderNginx([block(["http"], directive("name", ...words))]);
        expect(parseNginx(rendered)).toEqual([
          { words: ["http"], block: [{ words: ["name", ...words] }] },
        ]);
      }),
    );
  });

  test("is quoted only where it must be", () => {
    const words = ["80", "~", "^/a{2}\\.b$", "", "it's", "$uri", "a#b"];
    expect(renderNginx([directive("x", ...words)])).toBe(
      "x 80 ~ '^/a{2}\\\\.b$' '' 'it\\'s' $uri 'a#b';\n",
    );
  });

  test("cannot hold a newline", () => {
    const refusal = new Error("a word of an nginx directive cannot hold a newline");
    for (const bad of ["a\nb", "a\rb", "a\0b"]) {
      expect(() => renderNginx([directive("root", bad)])).toThrow(refusal);
    }
  });

  test("cannot hold a foreign $, which nginx would take for a variable", () => {
    expect(nginxValue("cachy.local")).toBe("cachy.local");
    expect(() => nginxValue("a$uri")).toThrow(
      new Error('nginx cannot be told "a$uri": it holds a $'),
    );
  });

  test("is indented with its blocks, and comments stand on lines of their own", () => {
    expect(renderNginx(["why", block(["a", "b"], "how", block(["c"]), directive("d"))])).toBe(
      "# why\na b {\n    # how\n    c {\n    }\n    d;\n}\n",
    );
  });
});

describe("a Nix expression", () => {
  evaluated("of a string is that string to Nix", () => {
    fc.assert(
      fc.property(texts, (strings) => {
        expect(evaluate(`[ ${strings.map(nixString).join(" ")} ]`)).toEqual(strings);
      }),
      FEW,
    );
  });

  evaluated("of a value is that value to Nix", () => {
    const { value } = fc.letrec<{ value: NixValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        text,
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(fc.oneof(text, fc.constantFrom("or", "let", "a-b", "a.b")), tie("value"), {
          maxKeys: 4,
          noNullPrototype: true,
        }),
      ),
    }));
    fc.assert(
      fc.property(fc.array(value, { maxLength: 10 }), (values) => {
        expect(evaluate(renderNix(values))).toEqual(values);
      }),
      FEW,
    );
  });

  test("is laid out over lines, attributes sorted", () => {
    const value = {
      zone: [],
      "with space": { or: null, _ok: true },
      list: ["one"],
      numbers: [1, -2],
      nested: [{ a: 1 }],
      empty: {},
    };
    expect(renderNix(value)).toBe(`{
  empty = { };
  list = [ "one" ];
  nested = [
    {
      a = 1;
    }
  ];
  numbers = [
    1
    (-2)
  ];
  "with space" = {
    _ok = true;
    "or" = null;
  };
  zone = [ ];
}`);
  });

  test("cannot hold a NUL or a fraction", () => {
    expect(() => nixString("a\0b")).toThrow(new Error("a Nix string cannot hold a NUL"));
    expect(() => renderNix(0.5)).toThrow(new Error("0.5 is not a whole number"));
    expect(() => renderNix(2 ** 53)).toThrow(new Error("9007199254740992 is not a whole number"));
  });
});
