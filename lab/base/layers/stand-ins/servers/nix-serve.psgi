# STAND-IN for nix-serve and nix-serve-ng, which differ in little; LAB_SERVER says which one.
use strict;
use warnings;
use StandIn::Format qw(narinfo read_key sign);
use StandIn::Store qw(ask_daemon base_name output_of stream_of);

my $strict   = ($ENV{LAB_SERVER} // '') eq 'nix-serve-ng';
my $priority = $ENV{LAB_PRIORITY} // 30;
my @nix      = ('nix', '--extra-experimental-features', 'nix-command', '--offline');
# Read once, at the start: another key needs a restart.
my $key = defined $ENV{NIX_SECRET_KEY_FILE} ? read_key($ENV{NIX_SECRET_KEY_FILE}) : undef;

sub plain {
    my ($status, $text, $type) = @_;
    return [ $status, [ 'Content-Type' => $type // 'text/plain', 'Content-Length' => length $text ],
        [$text] ];
}

sub no_such_path { return plain(404, "No such path.\n") }

sub answer_narinfo {
    my ($hash_part) = @_;
    my $info = ask_daemon($hash_part) or return no_such_path();
    # A key of the server's own takes the place of the signatures in the database.
    my @signatures = $key ? sign($key, $info) : @{ $info->{signatures} };
    my $text = narinfo(
        StorePath   => $info->{path},
        URL         => "nar/$hash_part-$info->{hash}.nar",
        Compression => 'none',
        NarHash     => "sha256:$info->{hash}",
        NarSize     => $info->{size},
        References  => join(' ', map { base_name($_) } @{ $info->{references} }),
        Deriver     => defined $info->{deriver} ? base_name($info->{deriver}) : undef,
        map { (Sig => $_) } @signatures,
    );
    return plain(200, $text, 'text/x-nix-narinfo');
}

sub answer_nar {
    my ($hash_part, $expected) = @_;
    my $info = ask_daemon($hash_part) or return no_such_path();
    if (defined $expected && $expected ne $info->{hash}) {
        return plain(404, "Incorrect NAR hash. Maybe the path has been recreated.\n");
    }
    my @headers = ('Content-Type' => 'text/plain');
    # The real nix-serve-ng streams without saying how much will come.
    push @headers, 'Content-Length' => $info->{size} if !$strict;
    return [ 200, \@headers, stream_of(@nix, 'store', 'dump-path', $info->{path}) ];
}

sub answer_log {
    my ($name) = @_;
    my $log = output_of('nix-store', '--read-log', "/nix/store/$name");
    return length $log ? plain(200, $log) : no_such_path();
}

sub {
    my ($request) = @_;
    my $path = $request->{PATH_INFO};
    if ($path eq '/nix-cache-info') {
        return plain(200, "StoreDir: /nix/store\nWantMassQuery: 1\nPriority: $priority\n");
    }
    if ($path =~ m{^/([^/]*)\.narinfo$} || $path =~ m{^/nar/([^/-]*)(?:-[^/]*)?\.nar$}) {
        my $well_formed = $1 =~ /^[0-9abcdfghijklmnpqrsvwxyz]{32}$/;
        return plain(400, "Invalid hash part.\n") if $strict && !$well_formed;
        return no_such_path() if !$well_formed;
    }
    return answer_narinfo($1) if $path =~ m{^/([0-9a-z]+)\.narinfo$};
    return answer_nar($1, $2) if $path =~ m{^/nar/([0-9a-z]+)-([0-9a-z]+)\.nar$};
    return answer_nar($1)     if $path =~ m{^/nar/([0-9a-z]+)\.nar$};
    return answer_log($1)     if $path =~ m{^/log/([0-9a-z]+-[0-9a-zA-Z+._?=-]+)$};
    return plain(404, "File not found.\n");
};
