using System.Text;
using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Sources;

public sealed class ExclusionRulesTests
{
    [Theory]
    // Without a '/' a pattern names a component at any depth.
    [InlineData("*.tmp", "a.tmp", true)]
    [InlineData("*.tmp", "x/y/a.tmp", true)]
    [InlineData("*.tmp", "a.tmp.txt", false)]
    [InlineData("node_modules", "x/node_modules", true)]
    [InlineData("node_modules", "x/node_modules2", false)]
    [InlineData("*", "anything", true)]
    [InlineData("a*b*c", "a12b3b4c", true)]
    [InlineData("a*b*c", "a12b3b4", false)]
    // With one it is relative to the root, or absolute.
    [InlineData("x/a", "x/a", true)]
    [InlineData("x/a", "y/x/a", false)]
    [InlineData("x/*", "x/a", true)]
    [InlineData("x/*", "x/a/b", false)]
    [InlineData("/root/x", "x", true)]
    [InlineData("/root/x", "root/x", false)]
    [InlineData("/*/x", "x", true)]
    [InlineData("/other/x", "x", false)]
    [InlineData("/x", "x", false)]
    // "**" crosses where it is a component.
    [InlineData("**/a", "a", true)]
    [InlineData("**/a", "x/y/a", true)]
    [InlineData("x/**/a", "x/a", true)]
    [InlineData("x/**/a", "x/1/2/a", true)]
    [InlineData("x/**/a", "1/x/a", false)]
    [InlineData("x/**", "x", false)]
    [InlineData("x/**", "x/a", true)]
    [InlineData("x/**", "x/a/b", true)]
    [InlineData("/**/a", "x/a", true)]
    [InlineData("x/a**z", "x/abz", true)]
    [InlineData("x/a**z", "x/a/z", false)]
    [InlineData("**/x/**/y/*.o", "1/x/y/2/x/3/y/a.o", true)]
    // Characters, not bytes.
    [InlineData("?", "é", true)]
    [InlineData("?", "€", true)]
    [InlineData("??", "é", false)]
    [InlineData("*??", "€", false)]
    [InlineData("[é-ü]x", "ñx", true)]
    [InlineData("[a-c]", "b", true)]
    [InlineData("[!a-c]", "b", false)]
    [InlineData("[^a-c]", "d", true)]
    [InlineData("[]x]", "]", true)]
    [InlineData("[a-]", "-", true)]
    [InlineData("[a-c", "x", null)]
    // A backslash takes the meaning away.
    [InlineData(@"\*", "*", true)]
    [InlineData(@"\*", "a", false)]
    [InlineData(@"a\\b", @"a\b", true)]
    [InlineData(@"\!x", "!x", true)]
    [InlineData(@"[\]]", "]", true)]
    [InlineData(@"\xc3\xa9", "é", true)]
    [InlineData(" a ", " a ", true)]
    public void A_pattern_matches_what_it_says(string pattern, string path, bool? expected)
    {
        if (expected is null)
        {
            Assert.Throws<BackupException>(() => Match(pattern, Encoding.UTF8.GetBytes(path)));
        }
        else
        {
            Assert.Equal(expected.Value ? Exclusion.Item : Exclusion.None, Match(pattern, Encoding.UTF8.GetBytes(path)));
        }
    }

    [Fact]
    public void A_slash_at_the_end_means_folders_only_and_does_not_tie_the_name_to_the_root()
    {
        Assert.Equal(Exclusion.Folder, Match("obj/", "x/obj"u8));
        Assert.Equal(Exclusion.Folder, Match("x/obj/", "x/obj"u8));
        Assert.Equal(Exclusion.None, Match("x/obj/", "y/x/obj"u8));
        Assert.Equal(Exclusion.Item, ExclusionRules.Compile(["obj/", "obj"], "/root"u8).Match("obj"u8));
    }

    [Fact]
    public void Names_that_are_no_text_are_matched_byte_by_byte()
    {
        Assert.Equal(Exclusion.Item, Match(@"\xff*", [0xFF, 0xFE, 0x41]));
        Assert.Equal(Exclusion.Item, Match("??A", [0xFF, 0xFE, 0x41]));
        Assert.Equal(Exclusion.Item, Match("[!a]", [0xFF]));
        Assert.Equal(Exclusion.Item, Match(@"[\xfe-\xff]", [0xFF]));
        Assert.Equal(Exclusion.None, Match(@"\xff", [0xFE]));
        Assert.Equal(Exclusion.None, Match(@"\xc3*", "é"u8));
    }

    [Fact]
    public void The_root_of_everything_is_a_root_like_others()
    {
        ExclusionRules rules = ExclusionRules.Compile(["/var/cache"], "/"u8);
        Assert.Equal(Exclusion.Item, rules.Match("var/cache"u8));
        Assert.Equal(Exclusion.None, rules.Match("x/var/cache"u8));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("//")]
    [InlineData("a//b")]
    [InlineData("a/../b")]
    [InlineData("./a")]
    [InlineData("[")]
    [InlineData("[]")]
    [InlineData("[a")]
    [InlineData("[z-a]")]
    [InlineData(@"a\")]
    [InlineData(@"[a\")]
    [InlineData("!a")]
    [InlineData("a\0b")]
    public void A_pattern_that_means_nothing_is_refused_by_name(string pattern)
    {
        var failure = Assert.Throws<BackupException>(() => ExclusionRules.Compile(["fine", pattern], "/root"u8));
        Assert.Equal(BackupErrorId.PatternInvalid, failure.Id);
        Assert.Equal(pattern, failure.Target);
        Assert.Contains($"'{pattern}'", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(@"*.TMP", "a.tmp", true)]
    [InlineData(@"x\*.tmp", "X/A.TMP", true)]
    [InlineData(@"C:\Users\x", "x", true)]
    [InlineData(@"c:/users/x", "x", true)]
    [InlineData(@"D:\Users\x", "x", false)]
    [InlineData("[a-c]É", "Bé", true)]
    [InlineData("[!a-c]", "B", false)]
    [InlineData(@"obj\", "obj", true)]
    public void On_Windows_a_backslash_separates_and_case_does_not_count(string pattern, string path, bool expected)
    {
        Exclusion found = ExclusionRules.Compile([pattern], "C:/Users"u8, windows: true).Match(Encoding.UTF8.GetBytes(path));
        Assert.Equal(expected, found != Exclusion.None);
    }

    [Fact]
    public void Matching_agrees_with_the_plain_definition()
    {
        Gen<string> text = Gen.Elements("a", "b", "é", "*", "?", "[ab]", "[!a]", "**").ListOf().Select(string.Concat);
        Gen<string> component = Gen.OneOf(text.Where(t => t.Length > 0), Gen.Constant("**"));
        Gen<string> pattern = component.NonEmptyListOf().Resize(4).Select(parts => string.Join('/', parts));
        Gen<string> name = Gen.Elements("a", "b", "é", "c").NonEmptyListOf().Resize(4).Select(string.Concat);
        Gen<string> path = name.NonEmptyListOf().Resize(4).Select(parts => string.Join('/', parts));

        Prop.ForAll(pattern.Zip(path).ToArbitrary(), pair =>
        {
            (string p, string s) = pair;
            bool actual = Match(p, Encoding.UTF8.GetBytes(s)) == Exclusion.Item;
            bool expected = p.Contains('/', StringComparison.Ordinal)
                ? Defined(p.Split('/'), s.Split('/'))
                : DefinedName(p, s.Split('/')[^1]);
            return actual == expected;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(20_000));
    }

    [Fact]
    public void Hostile_patterns_do_not_take_forever()
    {
        string pattern = string.Concat(Enumerable.Repeat("*a", 100)) + "b";
        string paths = string.Join('/', Enumerable.Repeat("**/a", 100)) + "/b";
        byte[] name = Encoding.UTF8.GetBytes(new string('a', 255));
        byte[] path = Encoding.UTF8.GetBytes(string.Join('/', Enumerable.Repeat("a", 1000)));

        Assert.Equal(Exclusion.None, Match(pattern, name));
        Assert.Equal(Exclusion.None, Match(paths, path));
    }

    private static Exclusion Match(string pattern, ReadOnlySpan<byte> path) =>
        ExclusionRules.Compile([pattern], "/root"u8).Match(path);

    // The definition, by recursion over all possibilities.
    private static bool Defined(ReadOnlySpan<string> pattern, ReadOnlySpan<string> path)
    {
        if (pattern.IsEmpty)
        {
            return path.IsEmpty;
        }

        if (pattern[0] == "**")
        {
            int least = pattern.Length == 1 ? 1 : 0;
            for (int taken = least; taken <= path.Length; taken++)
            {
                if (Defined(pattern[1..], path[taken..]))
                {
                    return true;
                }
            }

            return false;
        }

        return !path.IsEmpty && DefinedName(pattern[0], path[0]) && Defined(pattern[1..], path[1..]);
    }

    private static bool DefinedName(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
    {
        if (pattern.IsEmpty)
        {
            return name.IsEmpty;
        }

        return pattern[0] switch
        {
            '*' => DefinedName(pattern[1..], name) || (!name.IsEmpty && DefinedName(pattern, name[1..])),
            '?' => !name.IsEmpty && DefinedName(pattern[1..], name[1..]),
            '[' when pattern[1] == '!' => !name.IsEmpty && name[0] != 'a' && DefinedName(pattern[4..], name[1..]),
            '[' => !name.IsEmpty && name[0] is 'a' or 'b' && DefinedName(pattern[4..], name[1..]),
            char c => !name.IsEmpty && name[0] == c && DefinedName(pattern[1..], name[1..]),
        };
    }
}
