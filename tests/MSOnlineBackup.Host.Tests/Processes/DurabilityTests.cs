using System.Globalization;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests.Processes;

/// <summary>What becomes of a backup where the disk refuses what was written. The faults are put into system calls, for the base library hides them.</summary>
public sealed class DurabilityTests : IDisposable
{
    private readonly TempFolder _temp = new();
    private readonly string _source;

    public DurabilityTests()
    {
        _source = Directory.CreateDirectory(_temp["source"]).FullName;
        for (int i = 0; i < 40; i++)
        {
            File.WriteAllText(Path.Combine(_source, i.ToString(CultureInfo.InvariantCulture)), new string((char)('a' + (i % 26)), 1000 + i));
        }
    }

    public void Dispose() => _temp.Dispose();

    [Fact]
    public void What_the_disk_has_no_room_for_at_the_last_moment_is_not_reported_as_stored()
    {
        ObengineProcess obengine = Failing("ENOSPC", when: "1+");

        ObengineProcess.Run run = obengine.Execute("backup", _source);

        Assert.True(run.ExitCode is not (0 or 3), run.ToString());
        Assert.Contains("VaultFull", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("completed", run.Output, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(9)]
    public void What_the_disk_refuses_once_is_written_anew(int refused)
    {
        ObengineProcess.Run run = Failing("EIO", refused.ToString(CultureInfo.InvariantCulture)).Execute("backup", _source);

        Assert.True(run.ExitCode == 0, run.ToString());
        ObengineProcess.Run verified = new ObengineProcess(_temp["vault"]).Execute("verify", "--read-data");
        Assert.True(verified.ExitCode == 0, verified.ToString());
    }

    [Theory]
    [InlineData("ENOSYS")]
    [InlineData("EPERM")]
    [InlineData("EAGAIN")]
    public void A_system_that_does_not_open_by_paths_without_links_reads_a_vault_folder_by_folder(string error)
    {
        ObengineProcess obengine = Failing(error, when: "1+", call: "openat2");

        ObengineProcess.Run run = obengine.Execute("backup", _source);
        Assert.True(run.ExitCode == 0, run.ToString());
        ObengineProcess.Run verified = obengine.Execute("verify", "--read-data");
        Assert.True(verified.ExitCode == 0, verified.ToString());
    }

    private ObengineProcess Failing(string error, string when, string call = "fsync")
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "System calls are made to fail by strace, which is Linux's.");
        Assert.SkipUnless(Shell.Run("sh", "-c", "command -v strace").ExitCode == 0, "There is no strace.");
        new ObengineProcess(_temp["vault"]).CreateVault();
        return new ObengineProcess(
            _temp["vault"], "strace", "-f", "-qq", "-o", "/dev/null", "-e", $"trace={call}", "-e", $"inject={call}:error={error}:when={when}");
    }
}
