# Builds with nothing but a static busybox: the lab has no compiler, and a sandbox has no programs.
{ system }:
{
  name,
  script,
  environment ? { },
}:
let
  tools = builtins.path {
    path = ./tools;
    name = "lab-tools";
  };
in
derivation (
  environment
  // {
    inherit name system script;
    builder = "${tools}/busybox";
    args = [
      "sh"
      "-euc"
      "PATH=/; busybox=${tools}/busybox; noise=${tools}/noise; eval \"$script\""
    ];
  }
)
