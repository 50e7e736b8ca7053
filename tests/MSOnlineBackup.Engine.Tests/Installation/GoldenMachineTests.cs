using System.Text;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Engine.Tests.Jobs;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Installation;

/// <summary>
/// A machine that an earlier version has set up and backed up: <c>tests/fixtures/golden-machine-1</c>, its state and its vault. Each later version goes on from there. It was made once, by running
/// these tests with <c>OB_MAKE_GOLDEN_MACHINE=1</c>, which does nothing where it is there; from the first release on it is never made anew. Where these tests fail, the agent is wrong, and so is a
/// checkout without it.
/// </summary>
public sealed class GoldenMachineTests : IDisposable
{
    // In the fixture; the vault is copied elsewhere, and the machine's state says where.
    private const string VaultInState = "/golden/vault";
    private const string SourcePath = "/golden/source";

    private readonly JobsFixture _machine = new();

    private static string Fixture => Path.Combine(Repository.Root, "tests", "fixtures", "golden-machine-1");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _machine.Dispose();

    [Fact]
    public async Task It_backs_up_by_the_policy_that_it_has_and_reads_and_sends_only_what_has_changed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Its paths are those of Unix.");
        await LoadAsync();
        FakeSourceTree source = _machine.Fakes[SourcePath] = Source().File("changed", Bytes(3000, 9), state: 2).File("new", Bytes(5000, 10));
        BackupAgent agent = _machine.Open();
        Guid before = Assert.Single(agent.Jobs.List()).Id;

        JobRecord job = await JobsFixture.BackUpAsync(agent);

        Assert.Equal(JobState.Completed, job.State);
        Assert.Equal(["changed", "new"], source.Opened.Order());
        Assert.Equal(8000, job.NewBytes);
        Assert.Equal([before, job.Id], agent.Jobs.List().Select(one => one.Id));
        Assert.Equal(SourcePath, Assert.Single(agent.Policies.Require(PolicyKind.Files).Files).Path);
        using UnlockedVault vault = await TestVault.UnlockAsync(new FolderVaultStore(_machine.Vault), JobsFixture.Passphrase, new VaultOptions(), Cancel);
        RecoveryPointList points = await vault.ListPointsAsync(null, Cancel);
        Assert.Equal(2, points.Count);
        Assert.Equal(points[1].SessionId, points[0].ParentSessionId);
    }

    private static byte[] Bytes(int length, int seed)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static FakeSourceTree Source()
    {
        FakeSourceTree source = new FakeSourceTree(SourcePath).Folder("");
        for (int i = 0; i < 20; i++)
        {
            source.File($"file{i}", Bytes(1000 * i, i));
        }

        return source.File("changed", Bytes(3000, 1)).File("large", Bytes(2_000_000, 2));
    }

    private async Task LoadAsync()
    {
        if (!Directory.Exists(Fixture) && Environment.GetEnvironmentVariable("OB_MAKE_GOLDEN_MACHINE") == "1")
        {
            await MakeAsync();
        }

        Copy(Path.Combine(Fixture, "vault"), _machine.Vault, VaultInState, VaultInState);
        Copy(Path.Combine(Fixture, "state"), _machine.State, VaultInState, _machine.Vault);
    }

    private static async Task MakeAsync()
    {
        using var machine = new JobsFixture();
        machine.Fakes[SourcePath] = Source();
        BackupAgent agent = await machine.ActivateAsync(SourcePath);
        await JobsFixture.BackUpAsync(agent);
        Copy(machine.Vault, Path.Combine(Fixture, "vault"), VaultInState, VaultInState);
        Copy(machine.State, Path.Combine(Fixture, "state"), machine.Vault, VaultInState);
    }

    private static void Copy(string from, string to, string path, string instead)
    {
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories).Where(file => !file.EndsWith("lock", StringComparison.Ordinal)))
        {
            string copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);

            // One character for each byte, so that what is no text stays as it is.
            File.WriteAllBytes(copy, Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(File.ReadAllBytes(file)).Replace(path, instead, StringComparison.Ordinal)));
        }

        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(to, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            foreach (string file in Directory.EnumerateFiles(to, "*", SearchOption.AllDirectories))
            {
                File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }
        }
    }
}
