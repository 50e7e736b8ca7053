using System.Text;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.RecoveryPoints;

public class WildcardPatternTests
{
    [Theory]
    [InlineData("*.c", "a.c", true)]
    [InlineData("*.c", "src/a.c", true)]
    [InlineData("*.c", "a.cc", false)]
    [InlineData("a?c", "abc", true)]
    [InlineData("a?c", "aüc", true)]
    [InlineData("a?c", "ac", false)]
    [InlineData("[a-c]x", "bx", true)]
    [InlineData("[!a-c]x", "bx", false)]
    [InlineData("[]x]", "]", true)]
    [InlineData("[ä-ü]", "ö", true)]
    [InlineData("\\*", "*", true)]
    [InlineData("\\*", "x", false)]
    [InlineData("*a*b*", "xaybz", true)]
    [InlineData("*", "anything", true)]
    [InlineData("/a/*", "a/b", true)]
    [InlineData("/a/*", "a/b/c", false)]
    [InlineData("/a/**", "a/b/c", true)]
    [InlineData("**/x/*.c", "a/b/x/y.c", true)]
    [InlineData("**/x/*.c", "x/y.c", true)]
    [InlineData("a/**/b", "a/b", true)]
    [InlineData("a/**/b", "a/1/2/b", true)]
    [InlineData("a/**/b", "a/1/2/c", false)]
    [InlineData("**/a/**/b", "a/a/x/b", true)]
    [InlineData("A*", "abc", false)]
    public void Patterns_match_names_and_paths(string pattern, string path, bool expected) =>
        Assert.Equal(expected, new WildcardPattern(pattern, ignoreCase: false).IsMatch(Encoding.UTF8.GetBytes(path)));

    [Theory]
    [InlineData("README*", "readme.md")]
    [InlineData("[A-C]x", "bX")]
    [InlineData("/HOME/*", "home/a")]
    public void Case_is_ignored_on_request(string pattern, string path) =>
        Assert.True(new WildcardPattern(pattern, ignoreCase: true).IsMatch(Encoding.UTF8.GetBytes(path)));

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("a//b")]
    [InlineData("[abc")]
    [InlineData("[]")]
    [InlineData("a\\")]
    public void What_is_no_pattern_is_refused(string pattern) =>
        Assert.Equal(BackupErrorId.PatternInvalid, Assert.Throws<BackupException>(() => new WildcardPattern(pattern, ignoreCase: false)).Id);

    [Theory]
    [InlineData(@"C:\T\*", "c:/t/a", true)]
    [InlineData("README*", "C:/t/readme.md", true)]
    [InlineData(@"C:\t\[[]x]", "C:/t/[x]", true)]
    [InlineData(@"C:\t\*", "C:/t/a/b", false)]
    public void In_the_form_of_Windows_a_backslash_separates_and_case_does_not_count(string pattern, string path, bool expected) =>
        Assert.Equal(expected, new WildcardPattern(pattern, ignoreCase: false, PathForm.Windows).IsMatch(Encoding.UTF8.GetBytes(path)));

    [Fact]
    public void Bytes_that_are_no_text_match_stars_and_question_marks()
    {
        Assert.True(new WildcardPattern("a?b*", ignoreCase: false).IsMatch([(byte)'a', 0xff, (byte)'b', 0xfe]));
    }

    [Fact]
    public void No_pattern_is_a_trap()
    {
        string pattern = string.Concat(Enumerable.Repeat("*a", 60)) + "b/" + string.Concat(Enumerable.Repeat("**/", 60)) + "x";
        byte[] path = Encoding.UTF8.GetBytes(string.Join('/', Enumerable.Repeat(new string('a', 200), 100)));

        Assert.False(new WildcardPattern(pattern, ignoreCase: false).IsMatch(path));
    }
}
