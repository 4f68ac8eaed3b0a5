# A closure to serve and to fetch: `count` paths that need one another, `mebibytes` in all, most of
# it incompressible. Another `salt` makes other paths; the same one makes the same paths, and the
# same bytes, on every host.
{
  salt ? "0",
  count ? 12,
  mebibytes ? 30,
  system ? builtins.currentSystem,
}:
let
  build = import ./build.nix { inherit system; };
  asNumber = value: if builtins.isString value then builtins.fromJSON value else value;
  last = asNumber count - 1;
  numbers = builtins.genList (number: number) (last + 1);

  # Every fourth path is large.
  weight = number: if number - number / 4 * 4 == 0 then 9 else 1;
  weights = builtins.foldl' (sum: number: sum + weight number) 0 numbers;
  kibibytes = number: asNumber mebibytes * 1024 * weight number / weights;

  # A tree, with one path that holds on to all of it.
  needs =
    number:
    if number == last then
      builtins.genList (other: other) last
    else
      builtins.filter (other: other < number) [
        (number / 2)
        (number / 3)
      ];

  path =
    number:
    build {
      name = if number == last then "closure-lab" else "closure-lab-part-${toString number}";
      environment = {
        inherit salt;
        number = toString number;
        kibibytes = toString (kibibytes number);
        needed = map (builtins.elemAt paths) (needs number);
      };
      script = ''
        $busybox echo "Building part $number with salt $salt"
        $busybox mkdir $out
        $busybox printf '%s\n' "$salt $number" > $out/salt
        $busybox printf '%s\n' $needed > $out/needs
        $busybox seq $((kibibytes * 20)) | $busybox head -c $((kibibytes * 1024 / 6)) > $out/text
        left=$((kibibytes * 1024 * 5 / 6))
        skip=$((number * 977))
        while [ $left -gt 0 ]; do
          $busybox tail -c +$((skip % 4096 * 1024 + 1)) $noise 2> /dev/null | $busybox head -c $left >> $out/noise
          left=$((kibibytes * 1024 * 5 / 6 - $($busybox stat -c %s $out/noise)))
          skip=$((skip + 1))
        done
      '';
    };
  paths = map path numbers;
in
builtins.elemAt paths last
