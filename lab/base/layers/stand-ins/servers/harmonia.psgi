# STAND-IN for harmonia 3.2; bin/harmonia-cache has read its configuration.
use strict;
use warnings;
use JSON::PP ();
use StandIn::Format qw(narinfo read_key sign);
use StandIn::Store qw(ask_database base_name open_database output_of stream_of);

my $settings = JSON::PP::decode_json($ENV{LAB_HARMONIA});
my @keys     = map { read_key($_) } @{ $settings->{keys} };
my $database = open_database();
my $hash     = qr/[0-9abcdfghijklmnpqrsvwxyz]{32}/;
my $nar_hash = qr/[0-9abcdfghijklmnpqrsvwxyz]{52}/;
my $day      = 24 * 60 * 60;
my %requests;

sub plain {
    my ($status, $text, $type, $seconds) = @_;
    my $cached = $seconds ? "max-age=$seconds" : 'no-store';
    return [ $status,
        [ 'Content-Type' => $type // 'text/plain', 'Content-Length' => length $text,
            'Cache-Control' => $cached ],
        [$text] ];
}

sub missing { return plain(404, "missed hash\n") }

sub answer_narinfo {
    my ($hash_part) = @_;
    my $info = ask_database($database, $hash_part) or return missing();
    # The server's keys add to the signatures in the database.
    my @signatures = (@{ $info->{signatures} }, map { sign($_, $info) } @keys);
    my $text = narinfo(
        StorePath   => $info->{path},
        URL         => "nar/$info->{hash}.nar?hash=$hash_part",
        Compression => 'none',
        FileHash    => "sha256:$info->{hash}",
        FileSize    => $info->{size},
        NarHash     => "sha256:$info->{hash}",
        NarSize     => $info->{size},
        References  => join(' ', map { base_name($_) } @{ $info->{references} }),
        Deriver     => defined $info->{deriver} ? base_name($info->{deriver}) : undef,
        (map { (Sig => $_) } @signatures),
        CA => $info->{ca} || undef,
    );
    return plain(200, $text, 'text/x-nix-narinfo', $day);
}

sub answer_nar {
    my ($request, $expected, $hash_part) = @_;
    my $info = ask_database($database, $hash_part // '') or return missing();
    return missing() if $info->{hash} ne $expected || !-e $info->{path};
    my @headers = ('Content-Type' => 'application/x-nix-archive',
        'Cache-Control' => 'max-age=' . 365 * $day);
    my @dump = ('nix-store', '--dump', $info->{path});
    if ($settings->{compress} && ($request->{HTTP_ACCEPT_ENCODING} // '') =~ /\bzstd\b/) {
        my @both = ('sh', '-c', 'level=$1; shift; "$@" | zstd -q -c "-$level"', 'sh',
            $settings->{level}, @dump);
        push @headers, 'Content-Encoding' => 'zstd', 'Vary' => 'Accept-Encoding';
        return [ 200, \@headers, stream_of(@both) ];
    }
    push @headers, 'Accept-Ranges' => 'bytes';
    my $whole = $info->{size};
    if (($request->{HTTP_RANGE} // '') =~ /^bytes=([0-9]+)-$/ && $1 < $whole) {
        my $start = $1;
        my $range = "bytes $start-" . ($whole - 1) . "/$whole";
        push @headers, 'Content-Range' => $range, 'Content-Length' => $whole - $start;
        my $skipping = 'start=$1; shift; "$@" | tail -c "+$((start + 1))"';
        return [ 206, \@headers, stream_of('sh', '-c', $skipping, 'sh', $start, @dump) ];
    }
    return [ 200, [ @headers, 'Content-Length' => $whole ], stream_of(@dump) ];
}

sub answer_listing {
    my ($hash_part) = @_;
    my $info = ask_database($database, $hash_part) or return missing();
    my $root = output_of('nix', '--extra-experimental-features', 'nix-command', 'store', 'ls',
        '--json', '--recursive', $info->{path});
    chomp $root;
    return plain(200, qq({"version":1,"root":$root}), 'application/json', $day);
}

sub answer_metrics {
    my $text = "# TYPE harmonia_http_requests_total counter\n";
    $text .= qq(harmonia_http_requests_total{$_} $requests{$_}\n) for sort keys %requests;
    return plain(200, $text);
}

sub answer {
    my ($request) = @_;
    my ($path, $query) = ($request->{PATH_INFO}, $request->{QUERY_STRING} // '');
    if ($path eq '/nix-cache-info') {
        my $text = "StoreDir: /nix/store\nWantMassQuery: 1\nPriority: $settings->{priority}\n";
        return plain(200, $text, 'text/x-nix-cache-info', $day);
    }
    return plain(200, "<html><body>harmonia 3.2.0 (stand-in)</body></html>\n", 'text/html')
        if $path eq '/';
    return plain(200, "OK\n")    if $path eq '/health';
    return plain(200, "3.2.0\n") if $path eq '/version';
    return answer_metrics()      if $path eq '/metrics';
    return answer_narinfo($1)    if $path =~ m{^/($hash)\.narinfo$};
    return answer_listing($1)    if $path =~ m{^/($hash)\.ls$};
    return answer_nar($request, $2, $1) if $path =~ m{^/nar/($hash)-($nar_hash)\.nar$};
    if ($path =~ m{^/nar/($nar_hash)\.nar$}) {
        my $expected = $1;
        my ($hash_part) = $query =~ /(?:^|&)hash=($hash)(?:&|$)/;
        return answer_nar($request, $expected, $hash_part);
    }
    if ($path =~ m{^/log/([0-9a-z]{32}-[0-9a-zA-Z+._?=-]+)$}) {
        my $log = output_of('nix-store', '--read-log', "/nix/store/$1");
        return length $log ? plain(200, $log) : missing();
    }
    return missing();
}

sub {
    my ($request) = @_;
    my $response = answer($request);
    my $class = $request->{PATH_INFO} =~ /\.(narinfo|nar|ls)$/ ? $1 : 'other';
    $requests{qq(method="$request->{REQUEST_METHOD}",path="$class",status="$response->[0]")}++;
    return $response;
};
