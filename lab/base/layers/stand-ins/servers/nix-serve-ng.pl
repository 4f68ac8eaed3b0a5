#!/usr/bin/perl
# STAND-IN for nix-serve-ng, the server in Haskell: its flags, environment, URLs and signatures.
# As in the real one, a parameter that it does not know is an error.
use strict;
use warnings;
use Getopt::Long qw(:config no_ignore_case no_auto_abbrev bundling);

my $usage = <<'END';
Usage: nix-serve [--host HOST] [--port PORT] [--socket|-S PATH] [--backlog N] [--listen|-l ADDRESS]
                 [--ssl-cert FILE] [--ssl-key FILE] [--priority N] [--timeout SECONDS]
                 [--store URI] [--quiet] [--verbose] [--log-format FORMAT]
END
my %option = (host => '*', port => 5000, priority => 30, timeout => 600);
my $understood = GetOptions(
    \%option,           'host=s',     'port=i',     'socket|S=s', 'backlog=i', 'listen|l=s@',
    'ssl-cert=s',       'ssl-key=s',  'priority=i', 'timeout=i',  'store=s',   'quiet',
    'verbose',          'log-format=s', 'help|h',
);
if (!$understood || @ARGV) {
    print STDERR "Invalid argument `$_'\n" for @ARGV;
    print STDERR $usage;
    exit 1;
}
if ($option{help}) {
    print $usage;
    exit 0;
}
my $format = $option{'log-format'} // 'default';
if (!grep { $_ eq $format } qw(quiet default real-ip verbose debug)) {
    print STDERR "option --log-format: cannot parse value `$format'\n$usage";
    exit 1;
}
if ($option{'ssl-cert'} || $option{'ssl-key'}) {
    print STDERR "The stand-in cannot do TLS.\n";
    exit 1;
}

my @addresses = @{ $option{listen} // [] };
push @addresses, $option{socket} if $option{socket};
push @addresses, ($option{host} eq '*' ? '' : $option{host}) . ":$option{port}" if !@addresses;
$ENV{LAB_SERVER}   = 'nix-serve-ng';
$ENV{LAB_PRIORITY} = $option{priority};
$ENV{NIX_REMOTE}   = $option{store} if defined $option{store};
$ENV{PATH} .= ':/usr/local/bin:/usr/bin:/bin';
my @backlog = defined $option{backlog} ? ('--backlog', $option{backlog}) : ();
exec '/usr/bin/starman', '-I@stand-in@', (map { ('--listen', $_) } @addresses), @backlog,
    '@stand-in@/nix-serve.psgi';
