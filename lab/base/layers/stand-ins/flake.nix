{
  description = "Stands in for nixpkgs in the lab, where nothing can be downloaded";

  outputs =
    { self }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      perSystem =
        select:
        builtins.listToAttrs (
          map (system: {
            name = system;
            value = select (import ./packages.nix { inherit system; });
          }) systems
        );
    in
    {
      packages = perSystem (packages: packages);
      legacyPackages = perSystem (packages: packages);
    };
}
