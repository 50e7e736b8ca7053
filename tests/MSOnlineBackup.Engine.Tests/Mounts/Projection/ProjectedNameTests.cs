using System.Text;
using MSOnlineBackup.Mounts.Projection;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Mounts.Projection;

/// <summary>Names of any system as Windows allows them.</summary>
public sealed class ProjectedNameTests
{
    [Theory]
    [InlineData("plain.txt", "plain.txt")]
    [InlineData("日本 100%", "日本 100%")]
    [InlineData("a:b", "a%3Ab")]
    [InlineData("<>\"|?*\\", "%3C%3E%22%7C%3F%2A%5C")]
    [InlineData("tab\there", "tab%09here")]
    [InlineData("ends.", "ends%2E")]
    [InlineData("ends ", "ends%20")]
    [InlineData("..", ".%2E")]
    [InlineData(".hidden", ".hidden")]
    [InlineData("CON", "%43ON")]
    [InlineData("aux.tar.gz", "%61ux.tar.gz")]
    [InlineData("nul .txt", "%6Eul .txt")]
    [InlineData("com1", "%63om1")]
    [InlineData("LPT¹", "%4CPT¹")]
    [InlineData("COM10", "COM10")]
    [InlineData("console", "console")]
    public void A_name_is_one_that_Windows_allows(string name, string expected)
    {
        Assert.Equal(expected, ProjectedName.Of(name));
        Assert.Equal(expected, ProjectedName.Of(expected));
    }

    [Fact]
    public void A_name_that_is_too_long_is_cut_and_stays_one_of_its_own()
    {
        string one = ProjectedName.Of(new string(':', 200) + "1");
        string other = ProjectedName.Of(new string(':', 200) + "2");

        Assert.All((string[])[one, other], name => Assert.InRange(name.Length, 200, 255));
        Assert.NotEqual(one, other);
        Assert.Equal(new string('x', 255), ProjectedName.Of(new string('x', 255)));

        string surrogates = ProjectedName.Of("a" + string.Concat(Enumerable.Repeat("😀", 120)) + new string(':', 30));
        Assert.DoesNotContain("�", Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(surrogates)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("readme.txt", 2, "readme (2).txt")]
    [InlineData("readme", 11, "readme (11)")]
    [InlineData(".profile", 2, ".profile (2)")]
    [InlineData("a.extension that is none", 2, "a.extension that is none (2)")]
    public void A_number_stands_before_the_extension(string name, int number, string expected) => Assert.Equal(expected, ProjectedName.Numbered(name, number));

    [Fact]
    public void A_number_has_room_in_a_long_name() => Assert.Equal(255, ProjectedName.Numbered(new string('x', 251) + ".txt", 2).Length);
}
