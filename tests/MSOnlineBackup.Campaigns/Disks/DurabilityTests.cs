using System.Globalization;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Campaigns.Disks;

/// <summary>What becomes of a backup where the disk refuses what was written. The faults are put into system calls, for the base library hides them.</summary>
public sealed class DurabilityTests : IDisposable
{
    private readonly Obengine _sound = new();

    public DurabilityTests()
    {
        for (int i = 0; i < 40; i++)
        {
            File.WriteAllText(Path.Combine(_sound.Source, i.ToString(CultureInfo.InvariantCulture)), new string((char)('a' + (i % 26)), 1000 + i));
        }
    }

    public void Dispose() => _sound.Dispose();

    [Fact]
    public async Task What_the_disk_has_no_room_for_at_the_last_moment_is_not_reported_as_stored()
    {
        using Obengine obengine = await FailingAsync("ENOSPC", when: "1+");

        Run run = await obengine.OnVaultAsync("backup", _sound.Source);

        Assert.True(run.ExitCode is not (0 or 3), run.ToString());
        Assert.Contains("VaultFull", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("completed", run.Output, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(9)]
    public async Task What_the_disk_refuses_once_is_written_anew(int refused)
    {
        using Obengine obengine = await FailingAsync("EIO", refused.ToString(CultureInfo.InvariantCulture));

        Run run = await obengine.OnVaultAsync("backup", _sound.Source);

        Assert.True(run.ExitCode == 0, run.ToString());
        Run verified = await _sound.OnVaultAsync("verify", "--read-data");
        Assert.True(verified.ExitCode == 0, verified.ToString());
    }

    [Theory]
    [InlineData("ENOSYS")]
    [InlineData("EPERM")]
    [InlineData("EAGAIN")]
    public async Task A_system_that_does_not_open_by_paths_without_links_reads_a_vault_folder_by_folder(string error)
    {
        using Obengine obengine = await FailingAsync(error, when: "1+", call: "openat2");

        Run run = await obengine.OnVaultAsync("backup", _sound.Source);
        Assert.True(run.ExitCode == 0, run.ToString());
        Run verified = await obengine.OnVaultAsync("verify", "--read-data");
        Assert.True(verified.ExitCode == 0, verified.ToString());
    }

    private async Task<Obengine> FailingAsync(string error, string when, string call = "fsync")
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "System calls are made to fail by strace, which is Linux's.");
        Assert.SkipUnless(Shell.Run("sh", "-c", "command -v strace").ExitCode == 0, "There is no strace.");
        await _sound.CreateVaultAsync();
        return new Obengine("strace", "-f", "-qq", "-o", "/dev/null", "-e", $"trace={call}", "-e", $"inject={call}:error={error}:when={when}")
        {
            Vault = _sound.Vault,
        };
    }
}
