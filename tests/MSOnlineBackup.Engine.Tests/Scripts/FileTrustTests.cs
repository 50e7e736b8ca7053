using MSOnlineBackup.Engine.Scripts;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Scripts;

/// <summary>Which files are run, or believed, with a backup's rights.</summary>
public sealed class FileTrustTests : IDisposable
{
    private const string Administrators = "S-1-5-32-544";
    private const string Users = "S-1-5-32-545";
    private const string Self = "S-1-5-21-1-2-3-1001";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("700", true, true)]
    [InlineData("500", true, true)]
    [InlineData("600", true, false)]
    [InlineData("710", true, false)]
    [InlineData("701", true, false)]
    [InlineData("755", true, false)]
    [InlineData("600", false, true)]
    [InlineData("400", false, true)]
    [InlineData("640", false, false)]
    [InlineData("604", false, false)]
    [InlineData("644", false, false)]
    [InlineData("666", false, false)]
    public void The_mode_has_to_be_600_and_700_of_a_script(string mode, bool isScript, bool isTrusted)
    {
        string? fault = FindFault(Make("file", mode), isScript);

        Assert.Equal(isTrusted, fault is null);
        Assert.True(isTrusted || fault!.Contains(isScript ? "must be 700" : "must be 600", StringComparison.Ordinal), fault);
    }

    [Fact]
    public void Another_accounts_file_is_not_trusted()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Needs root on Linux.");
        string file = Make("file", "700");
        Shell.RunChecked("chown", "12345", file);

        Assert.Contains("12345", FindFault(file, isScript: true), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_in_a_folder_that_others_write_to_is_not_trusted_and_one_where_nobody_can_replace_it_is()
    {
        string file = Make("file", "700");
        Chmod("777", _folder.Path);
        Assert.Contains(_folder.Path, FindFault(file, isScript: true), StringComparison.Ordinal);

        Chmod("1777", _folder.Path);
        Assert.Null(FindFault(file, isScript: true));
    }

    [Fact]
    public void Of_a_link_what_it_leads_to_counts()
    {
        string good = Make("good", "700");
        string bad = Make("bad", "755");
        File.CreateSymbolicLink(_folder["to-good"], good);
        File.CreateSymbolicLink(_folder["to-bad"], bad);

        Assert.Null(FindFault(_folder["to-good"], isScript: true));
        Assert.NotNull(FindFault(_folder["to-bad"], isScript: true));
        Assert.NotNull(FindFault(_folder.Path, isScript: true));
    }

    [Theory]
    [InlineData(Administrators, Users, 0x12_00A9, true, true)]
    [InlineData(Self, Self, 0x1F_01FF, true, true)]
    [InlineData("S-1-5-18", Administrators, 0x1F_01FF, true, true)]
    [InlineData(Administrators, Users, 0x1F_01FF, false, true)]
    [InlineData(Administrators, Users, 0x13_01BF, true, false)]
    [InlineData(Administrators, Users, 0x2, true, false)]
    [InlineData(Administrators, Users, 0x4, true, false)]
    [InlineData(Administrators, Users, 0x1_0000, true, false)]
    [InlineData(Administrators, Users, 0x4_0000, true, false)]
    [InlineData(Administrators, Users, 0x8_0000, true, false)]
    [InlineData(Administrators, Users, 0x1000_0000, true, false)]
    [InlineData(Administrators, "S-1-1-0", 0x4000_0000, true, false)]
    [InlineData(Users, Administrators, 0x1F_01FF, true, false)]
    [InlineData("", Administrators, 0x1F_01FF, true, false)]
    public void On_Windows_only_administrators_and_its_own_account_may_change_it(string owner, string account, int mask, bool isGranted, bool isTrusted)
    {
        FileRight[] rights = [new FileRight(Administrators, 0x1F_01FF, true), new FileRight(account, mask, isGranted)];

        Assert.Equal(isTrusted, WindowsFileTrust.FindFault(owner, Self, rights) is null);
    }

    private static string? FindFault(string path, bool isScript) => new UnixFileTrust().FindFault(path, isScript);

    private string Make(string name, string mode)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Modes are Unix's.");
        File.WriteAllText(_folder[name], "");
        Chmod(mode, _folder[name]);
        return _folder[name];
    }

    private static void Chmod(string mode, string path) => Shell.RunChecked("chmod", mode, path);
}
