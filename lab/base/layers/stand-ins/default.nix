# For `nix-build /srv/nixpkgs-stand-in -A NAME` and `<nixpkgs>`.
{
  system ? builtins.currentSystem,
}:
import ./packages.nix { inherit system; }
