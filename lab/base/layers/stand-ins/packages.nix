# The packages of nixpkgs that the project asks for. The servers are stand-ins: see servers/.
{ system }:
let
  build = import ./build.nix { inherit system; };

  servers = builtins.path {
    path = ./servers;
    name = "lab-servers";
  };

  server =
    {
      pname,
      version,
      program,
      source,
    }:
    build {
      name = "${pname}-${version}-stand-in";
      environment = { inherit servers; };
      script = ''
        $busybox mkdir -p $out/bin $out/share
        $busybox cp -r $servers $out/share/stand-in
        $busybox chmod -R u+w $out/share
        $busybox sed "s|@stand-in@|$out/share/stand-in|g" $servers/${source} > $out/bin/${program}
        $busybox chmod 0555 $out/bin/${program}
      '';
    }
    // {
      inherit pname version;
      meta.mainProgram = program;
    };

  closure = import ./closure.nix { inherit system; };
in
{
  nix-serve = server {
    pname = "nix-serve";
    version = "0.2";
    program = "nix-serve";
    source = "nix-serve.sh";
  };

  nix-serve-ng = server {
    pname = "nix-serve-ng";
    version = "1.1.0";
    program = "nix-serve";
    source = "nix-serve-ng.pl";
  };

  harmonia = server {
    pname = "harmonia";
    version = "3.2.0";
    program = "harmonia-cache";
    source = "harmonia-cache.pl";
  };

  closure-lab = closure;

  hello-lab = build {
    name = "hello-lab";
    script = ''
      $busybox mkdir -p $out/bin
      $busybox printf '#!/bin/sh\necho Hello from the lab\n' > $out/bin/hello-lab
      $busybox chmod 0555 $out/bin/hello-lab
    '';
  };
}
