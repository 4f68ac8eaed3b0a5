#!/bin/sh
# STAND-IN for nix-serve, the server in Perl: its flags, environment, URLs and signatures. As in the
# real one, Starman reads the parameters, and passes over those it does not know.
LAB_SERVER=nix-serve
PATH=$PATH:/usr/local/bin:/usr/bin:/bin
export LAB_SERVER PATH
exec /usr/bin/starman -I@stand-in@ @stand-in@/nix-serve.psgi "$@"
