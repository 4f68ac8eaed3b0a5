package StandIn::Toml;

# As much of TOML as configuration files of harmonia use: tables, strings, numbers, booleans, and
# lists of strings. Keys of a table come out as TABLE.KEY.
use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw(read_toml);

my $string = qr/"((?:[^"\\]|\\.)*)"|'([^']*)'/;

sub read_toml {
    my ($file) = @_;
    open my $handle, '<', $file or die "$!\n";
    my $text = do { local $/; <$handle> };
    my (%settings, $table);
    # A list may go over several lines.
    $text =~ s{(\[[^\]"']*(?:(?:$string)[^\]"']*)*\])}{ $1 =~ s/\n/ /gr }ge;
    my $number = 0;
    for my $line (split /\n/, $text) {
        $number++;
        next if $line =~ /^\s*(?:#.*)?$/;
        if ($line =~ /^\s*\[([A-Za-z0-9_.-]+)\]\s*(?:#.*)?$/) {
            $table = $1;
            next;
        }
        my ($key, $value) = $line =~ /^\s*([A-Za-z0-9_-]+)\s*=\s*(.+?)\s*$/
            or die "line $number is not TOML: $line\n";
        my $name = defined $table ? "$table.$key" : $key;
        die "line $number: duplicate key `$name`\n" if exists $settings{$name};
        $settings{$name} = value_of($value, $number);
    }
    return \%settings;
}

sub value_of {
    my ($text, $number) = @_;
    return unescaped($1, $2) if $text =~ /^$string\s*(?:#.*)?$/;
    return $1 eq 'true' ? 1 : 0 if $text =~ /^(true|false)\s*(?:#.*)?$/;
    return $1 =~ s/_//gr        if $text =~ /^(-?[0-9_]+)\s*(?:#.*)?$/;
    if ($text =~ /^\[(.*)\]\s*(?:#.*)?$/) {
        my ($rest, @values) = ($1);
        while ($rest =~ s/^\s*$string\s*,?\s*//) {
            push @values, unescaped($1, $2);
        }
        return \@values if $rest =~ /^\s*$/;
    }
    die "line $number holds no value that the stand-in understands: $text\n";
}

sub unescaped {
    my ($escaped, $literal) = @_;
    return $literal if defined $literal;
    return $escaped =~ s/\\(["\\])/$1/gr;
}

1;
