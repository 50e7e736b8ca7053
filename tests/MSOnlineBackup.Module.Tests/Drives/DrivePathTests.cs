using System.Buffers.Binary;
using System.Text;
using MSOnlineBackup.Drives;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Module.Tests.Drives;

/// <summary>How names and links of recovery points stand in paths of a drive.</summary>
public sealed class DrivePathTests
{
    [Theory]
    [InlineData("plain.txt", "plain.txt")]
    [InlineData("ünï 中 🙂", "ünï 中 🙂")]
    [InlineData(@"back\slash", "back<5c>slash")]
    [InlineData(@"\\", "<5c><5c>")]
    [InlineData("line\nend", "line<0a>end")]
    [InlineData("<41>", "<3c>41>")]
    [InlineData("[a]*?`", "[a]*?`")]
    public void A_name_is_read_as_it_was_shown(string name, string shown)
    {
        byte[] raw = Encoding.UTF8.GetBytes(name);
        Assert.Equal(shown, DrivePath.Show(raw));
        Assert.Equal(raw, DrivePath.Read(shown));
    }

    [Fact]
    public void Any_bytes_are_read_as_they_were_shown_and_hold_no_separator()
    {
        for (int first = 1; first < 256; first++)
        {
            byte[] raw = [(byte)'a', (byte)first, 0xff, (byte)'<'];
            if (first != '/')
            {
                string shown = DrivePath.Show(raw);
                Assert.Single(DrivePath.Split(shown));
                Assert.Equal(raw, DrivePath.Read(shown));
            }
        }
    }

    [Theory]
    [InlineData(PathForm.Posix, "/home/a", new[] { "home", "a" })]
    [InlineData(PathForm.Posix, @"/a\\b", new[] { "a<5c>b" })]
    [InlineData(PathForm.Windows, @"C:\Users\a", new[] { "C", "Users", "a" })]
    [InlineData(PathForm.Windows, @"\\server\share\a", new[] { "server", "share", "a" })]
    public void A_full_path_is_where_a_view_has_it(PathForm form, string path, string[] names) => Assert.Equal(names, DrivePath.OfFullPath(form, path));

    [Theory]
    [InlineData(PathForm.Posix, "/etc/a", true, new[] { "etc", "a" })]
    [InlineData(PathForm.Posix, "../b/./c", false, new[] { "..", "b", ".", "c" })]
    [InlineData(PathForm.Windows, @"C:\a", true, new[] { "C", "a" })]
    [InlineData(PathForm.Windows, @"\??\C:\a", true, new[] { "C", "a" })]
    [InlineData(PathForm.Windows, @"..\a", false, new[] { "..", "a" })]
    public void A_link_leads_where_its_machine_would_go(PathForm form, string target, bool isAbsolute, string[] names)
    {
        (bool absolute, string[] found) = DrivePath.OfLink(form, Encoding.UTF8.GetBytes(target));
        Assert.Equal(isAbsolute, absolute);
        Assert.Equal(names, found);
    }

    [Theory]
    [InlineData(EntryKind.Directory, 0x1ed, "drwxr-xr-x")]
    [InlineData(EntryKind.File, 0x1a4, "-rw-r--r--")]
    [InlineData(EntryKind.SymbolicLink, 0x1ff, "lrwxrwxrwx")]
    [InlineData(EntryKind.Directory, 0x3ff, "drwxrwxrwt")]
    [InlineData(EntryKind.File, 0x9ed, "-rwsr-xr-x")]
    [InlineData(EntryKind.File, 0x424, "----r-Sr--")]
    [InlineData(EntryKind.Fifo, 0, "p---------")]
    public void Modes_are_shown_as_ls_does(EntryKind kind, uint mode, string shown) => Assert.Equal(shown, DrivePath.Mode(Entry(kind, mode), PathForm.Posix));

    [Fact]
    public void Attributes_of_Windows_are_shown_as_PowerShell_does()
    {
        byte[] attributes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(attributes, (uint)(FileAttributes.Hidden | FileAttributes.ReadOnly));
        ManifestEntry entry = Entry(EntryKind.Directory, 0) with { Attributes = [new EntryAttribute(AttributeTag.WindowsAttributes, default, attributes)] };

        Assert.Equal("d-rh-", DrivePath.Mode(entry, PathForm.Windows));
    }

    private static ManifestEntry Entry(EntryKind kind, uint mode) => new() { Path = EntryPath.Root, Kind = kind, Metadata = new EntryMetadata { Mode = mode } };
}
