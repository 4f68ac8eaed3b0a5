package StandIn::Format;

# Nix's own formats: base 32, narinfo, and signatures.
use strict;
use warnings;
use Crypt::PK::Ed25519;
use Exporter 'import';
use MIME::Base64 qw(decode_base64 encode_base64);

our @EXPORT_OK = qw(narinfo nix32 nix32_of_sri read_key sign);

# Digits run from the last bit to the first, and letters that could form words are left out.
sub nix32 {
    my ($bytes) = @_;
    my @digits = split //, '0123456789abcdfghijklmnpqrsvwxyz';
    my @bytes  = unpack 'C*', $bytes;
    my $length = int((@bytes * 8 - 1) / 5) + 1;
    my $text   = '';
    for (my $place = $length - 1; $place >= 0; $place--) {
        my $bit   = $place * 5;
        my $index = int($bit / 8);
        my $shift = $bit % 8;
        my $value = $bytes[$index] >> $shift;
        $value |= $bytes[ $index + 1 ] << (8 - $shift) if $index + 1 < @bytes;
        $text .= $digits[ $value & 31 ];
    }
    return $text;
}

# From `sha256-BASE64`, `sha256:BASE16` or `sha256:BASE32` to base 32.
sub nix32_of_sri {
    my ($hash) = @_;
    return nix32(decode_base64($1))  if $hash =~ /^sha256-(.+)$/;
    return nix32(pack 'H*', $1)      if $hash =~ /^sha256:([0-9a-f]{64})$/;
    return $hash =~ s/^sha256://r;
}

# A key file holds NAME:BASE64, of 32 bytes of secret and 32 bytes of public key.
sub read_key {
    my ($file) = @_;
    open my $handle, '<', $file or die "cannot read the secret key $file: $!\n";
    my $text = do { local $/; <$handle> };
    my ($name, $encoded) = ($text // '') =~ /^\s*([^:\s]+):([A-Za-z0-9+\/=]+)\s*$/
        or die "the secret key in $file is malformed\n";
    my $bytes = decode_base64($encoded);
    die "the secret key in $file is not valid\n" if length $bytes != 64;
    my $key = Crypt::PK::Ed25519->new->import_key_raw(substr($bytes, 0, 32), 'private');
    return { name => $name, key => $key };
}

sub sign {
    my ($key, $info) = @_;
    my $fingerprint = join ';', '1', $info->{path}, "sha256:$info->{hash}", $info->{size},
        join(',', @{ $info->{references} });
    return "$key->{name}:" . encode_base64($key->{key}->sign_message($fingerprint), '');
}

# The text of a narinfo, of pairs in the order given; pairs without a value are left out.
sub narinfo {
    my @pairs = @_;
    my $text  = '';
    while (my ($name, $value) = splice @pairs, 0, 2) {
        $text .= "$name: $value\n" if defined $value;
    }
    return $text;
}

1;
