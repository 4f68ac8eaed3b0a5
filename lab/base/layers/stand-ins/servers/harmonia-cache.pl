#!/usr/bin/perl
# STAND-IN for harmonia 3.2: its configuration file, environment, URLs and signatures. As in the
# real one, a key that this version does not know stops it from starting.
use strict;
use warnings;
use lib '@stand-in@';
use JSON::PP ();
use StandIn::Format qw(read_key);
use StandIn::Store qw(open_database);
use StandIn::Toml qw(read_toml);

if (@ARGV && $ARGV[0] =~ /^(--version|-V)$/) {
    print "harmonia-cache 3.2.0\n";
    exit 0;
}

my %known = map { $_ => 1 } qw(
    bind workers max_connection_rate max_connections priority virtual_nix_store real_nix_store
    nix_db_path enable_compression sign_key_paths sign_key_path tls_cert_path tls_key_path
    zstd.level zstd.long_distance_matching zstd.window_log zstd.max_ldm_encoders_per_worker
);
my $file = $ENV{CONFIG_FILE} // (-e 'settings.toml' ? 'settings.toml' : undef);
my $settings = eval { defined $file ? read_toml($file) : {} };
fail("cannot read the configuration $file: $@") if !$settings;
for my $key (sort keys %$settings) {
    fail("unknown field `$key` in $file") if !$known{$key};
}
fail('the stand-in cannot do TLS') if $settings->{tls_cert_path} || $settings->{tls_key_path};

my @keys = @{ $settings->{sign_key_paths} // [] };
push @keys, $settings->{sign_key_path} if $settings->{sign_key_path};
push @keys, split ' ', $ENV{SIGN_KEY_PATHS} // '';
push @keys, $ENV{SIGN_KEY_PATH} if defined $ENV{SIGN_KEY_PATH};
eval { read_key($_) for @keys; open_database(); 1 } or fail($@);

my $address = $settings->{bind} // '[::]:5000';
# Starman writes the address of all interfaces differently, and has no prefix for sockets.
$address =~ s/^\[::\]//;
$address =~ s/^unix://;

$ENV{LAB_HARMONIA} = JSON::PP->new->canonical->encode({
    keys     => \@keys,
    priority => $settings->{priority} // 30,
    compress => ($settings->{enable_compression} // 1) ? 1 : 0,
    level    => $settings->{'zstd.level'} // 1,
});
$ENV{PATH} .= ':/usr/local/bin:/usr/bin:/bin';
exec '/usr/bin/starman', '-I@stand-in@', '--listen', $address, '--workers',
    $settings->{workers} // 4, '@stand-in@/harmonia.psgi';

sub fail {
    my ($message) = @_;
    chomp $message;
    print STDERR "Error: $message\n";
    exit 1;
}
