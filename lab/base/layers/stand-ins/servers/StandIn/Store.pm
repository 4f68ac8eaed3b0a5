package StandIn::Store;

# What the stand-ins ask of the store. nix-serve asks the daemon, through the nix program, where the
# real one has a library; harmonia reads Nix's database, as the real one does.
use strict;
use warnings;
use DBI;
use Exporter 'import';
use JSON::PP ();
use StandIn::Format qw(nix32_of_sri);

our @EXPORT_OK = qw(ask_daemon ask_database base_name open_database output_of stream_of);

my $store = '/nix/store';
my @nix   = ('nix', '--extra-experimental-features', 'nix-command', '--offline');

sub base_name { return $_[0] =~ s{^.*/}{}r }

# What the store knows of the path with this hash part; undefined when there is no such path.
sub ask_daemon {
    my ($hash_part) = @_;
    my ($path) = glob "$store/$hash_part-*";
    return if !defined $path;
    my $text = output_of(@nix, 'path-info', '--json', $path);
    my $answer = eval { JSON::PP::decode_json($text) } or return;
    my $found = ref $answer eq 'ARRAY' ? $answer->[0] : $answer->{$path};
    return if !$found || !$found->{narHash};
    return {
        path       => $path,
        hash       => nix32_of_sri($found->{narHash}),
        size       => $found->{narSize},
        references => [ sort @{ $found->{references} } ],
        deriver    => $found->{deriver},
        signatures => $found->{signatures} // [],
        ca         => $found->{ca},
    };
}

sub open_database {
    my $file = '/nix/var/nix/db/db.sqlite';
    die "$file does not exist; use Nix once\n" if !-e $file;
    return DBI->connect("dbi:SQLite:uri=file:$file?mode=ro", '', '', { RaiseError => 1 });
}

sub ask_database {
    my ($database, $hash_part) = @_;
    my $found = $database->selectrow_hashref(
        'select * from ValidPaths where path >= ? order by path limit 1',
        undef, "$store/$hash_part-");
    return if !$found || index($found->{path}, "$store/$hash_part-") != 0;
    my $references = $database->selectcol_arrayref(
        'select path from Refs join ValidPaths on reference = id where referrer = ? order by path',
        undef, $found->{id});
    return {
        path       => $found->{path},
        hash       => nix32_of_sri($found->{hash}),
        size       => $found->{narSize},
        references => $references,
        deriver    => $found->{deriver},
        signatures => [ split ' ', $found->{sigs} // '' ],
        ca         => $found->{ca},
    };
}

sub output_of {
    my $handle = stream_of(@_);
    local $/;
    return scalar <$handle> // '';
}

# A handle on what a program prints. What it says on standard error goes to the journal.
sub stream_of {
    my @command = @_;
    open my $handle, '-|', @command or die "cannot run $command[0]: $!\n";
    binmode $handle;
    return $handle;
}

1;
