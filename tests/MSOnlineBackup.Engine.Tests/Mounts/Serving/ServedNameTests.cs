using System.Text;
using FsCheck.Fluent;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Mounts.Serving;

public sealed class ServedNameTests
{
    [Theory]
    [InlineData("plain.txt", "plain.txt")]
    [InlineData("日本 % # ?", "日本 % # ?")]
    [InlineData(@"back\slash", @"back\slash")]
    [InlineData(@"lit\xff", @"lit\\xff")]
    [InlineData("line\nbreak", @"line\x0abreak")]
    public void A_name_is_shown_as_it_is_unless_it_is_no_text_or_looks_like_one_that_is_none(string name, string shown) =>
        Assert.Equal(shown, ServedName.Show(PathForm.Posix, Encoding.UTF8.GetBytes(name)));

    [Fact]
    public void Every_name_of_bytes_is_found_again_by_what_is_shown_of_it()
    {
        byte[] alphabet = [.. "a\\x0f<>é/."u8.ToArray().Where(b => b != '/'), 0xff, 0xed, 0xa0, 0x80, 1];
        FsCheck.Check.One(
            FsCheck.Config.QuickThrowOnFailure.WithMaxTest(2000),
            Prop.ForAll(
                Gen.Elements(alphabet).ArrayOf().Where(name => name.Length > 0).ToArbitrary(),
                name => new[] { PathForm.Posix, PathForm.Windows }.All(
                    form => ServedName.Read(form, Encoding.UTF8.GetBytes(ServedName.Show(form, name)))!.SequenceEqual(name))));
    }

    [Fact]
    public void Bytes_that_are_no_text_mean_themselves() => Assert.Equal([0xff, 0x41], ServedName.Read(PathForm.Posix, [0xff, 0x41]));

    [Fact]
    public void What_no_name_looks_like_is_none() => Assert.Null(ServedName.Read(PathForm.Posix, @"\x41"u8));
}
