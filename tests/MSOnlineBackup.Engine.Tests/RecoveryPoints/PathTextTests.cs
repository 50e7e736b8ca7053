using System.Text;
using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.RecoveryPoints;

public sealed class PathTextTests
{
    [Theory]
    [InlineData("C:\\t/src/ä", @"C:\t\src\ä")]
    [InlineData("\\\\server\\share/a", @"\\server\share\a")]
    [InlineData("a\u0001b", "a<01>b")]
    [InlineData("a<b>", "a<b>")]
    [InlineData("a<0b>", "a<3c>0b>")]
    public void A_path_of_Windows_is_shown_as_Windows_writes_it(string path, string shown) =>
        Assert.Equal(shown, PathText.Show(PathForm.Windows, Encoding.UTF8.GetBytes(path)));

    [Theory]
    [InlineData("/home/a b", "/home/a b")]
    [InlineData("/a\\b", @"/a\\b")]
    [InlineData("/a\nb", @"/a\x0ab")]
    public void A_path_of_POSIX_is_shown_as_it_always_was(string path, string shown) =>
        Assert.Equal(shown, PathText.Show(PathForm.Posix, Encoding.UTF8.GetBytes(path)));

    [Fact]
    public void Bytes_that_are_no_text_are_shown_in_either_form()
    {
        Assert.Equal("a<ff>", PathText.Show(PathForm.Windows, [(byte)'a', 0xff]));
        Assert.Equal(@"a\xff", PathText.Show(PathForm.Posix, [(byte)'a', 0xff]));
    }

    [Fact]
    public void What_is_shown_leads_back_to_the_bytes()
    {
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2000), Prop.ForAll(AnyPath(), path =>
        {
            string shown = PathText.Show(PathForm.Windows, path);
            return path.SequenceEqual(PathText.Read(PathForm.Windows, shown).Select(b => b == (byte)'\\' ? (byte)'/' : b))
                && path.SequenceEqual(PathText.Read(PathForm.Posix, PathText.Show(PathForm.Posix, path)))
                && !shown.Any(char.IsControl);
        }));
    }

    [Fact]
    public void Half_a_pair_of_surrogates_is_read_as_a_backup_wrote_it() =>
        Assert.Equal([(byte)'a', 0xed, 0xa0, 0x80], PathText.Read(PathForm.Windows, "a\ud800"));

    [Theory]
    [InlineData(PathForm.Windows, @"C:\t", "a", @"C:\t\a")]
    [InlineData(PathForm.Windows, @"C:\", @"\a\b", @"C:\a\b")]
    [InlineData(PathForm.Windows, "", @"C:\a", @"C:\a")]
    [InlineData(PathForm.Posix, "/t", "a", "/t/a")]
    [InlineData(PathForm.Posix, "/", "a", "/a")]
    public void A_path_below_a_folder_is_joined_in_the_form_of_both(PathForm form, string folder, string below, string joined) =>
        Assert.Equal(joined, PathText.Join(form, folder, below));

    // Bytes that meet: separators, what begins an escape, letters of escapes, and what is no text.
    private static Arbitrary<byte[]> AnyPath() =>
        Gen.Elements("/<>x0aF\u00e4\u0001".SelectMany(c => Encoding.UTF8.GetBytes([c])).Append((byte)0xff).ToArray()).ArrayOf().ToArbitrary();
}
