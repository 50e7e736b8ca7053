using MSOnlineBackup.Agent;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Vaults.Errors;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Machine.AgentFixture;

namespace MSOnlineBackup.Engine.Tests.Machine;

/// <summary>Machines whose store's master key is rotated, by one of them.</summary>
public sealed class RotatedKeyTests : IDisposable
{
    private readonly AgentFixture _agents = new();

    public void Dispose() => _agents.Dispose();

    [Theory]
    [InlineData(Passphrase)]
    [InlineData(Other)]
    public async Task The_machine_goes_on_and_every_other_one_is_told_to_repair_its_key(string passphrase)
    {
        BackupAgent alpha = await _agents.ActivateAsync();
        BackupAgent beta = await _agents.ActivateAsync("BETA");
        await _agents.BackUpAsync(alpha);
        await _agents.BackUpAsync(beta);

        Assert.Empty(await alpha.RotateKeyAsync(passphrase, Cancel));

        Assert.Equal(0, (await _agents.BackUpAsync(_agents.Open())).ReadBytes);
        BackupException fault = await Assert.ThrowsAsync<BackupException>(() => _agents.BackUpAsync(beta));
        Assert.Contains("Repair-OBKey", fault.RecommendedAction, StringComparison.Ordinal);
        if (passphrase == Other)
        {
            await FailsAsync(BackupErrorId.PassphraseRejected, null, () => beta.Machine.Key.RepairAsync(Passphrase, Cancel));
        }

        await beta.Machine.Key.RepairAsync(passphrase, Cancel);
        BackupResult result = await _agents.BackUpAsync(beta);
        Assert.Equal((0, 0L), (result.ReadBytes, result.Point.NewBytes));
        await beta.RotateKeyAsync("a passphrase of the second epoch", Cancel);
        await _agents.BackUpAsync(beta);
        await alpha.Machine.Key.RepairAsync("a passphrase of the second epoch", Cancel);
        Assert.Equal(0, (await _agents.BackUpAsync(alpha)).ReadBytes);
        Assert.Equal(6, (await (await alpha.OpenEngineAsync(Cancel)).ListPointsAsync(null, Cancel)).Count);

        // Registering again, and changing the passphrase, know the newest key.
        await alpha.Machine.RegisterAsync(await _agents.IssueAsync(), Cancel);
        await alpha.Machine.Key.SetPassphraseAsync(Passphrase, Cancel);
        await _agents.BackUpAsync(alpha);
        await _agents.ActivateAsync("GAMMA");
    }

    [Fact]
    public async Task An_earlier_slot_neither_repairs_a_key_file_nor_activates_a_machine()
    {
        BackupAgent alpha = await _agents.ActivateAsync();
        await _agents.BackUpAsync(alpha);
        string slot = Directory.EnumerateFiles(Path.Combine(_agents.Vault, "keys"), "*", SearchOption.AllDirectories)
            .Single(file => !file.Contains("order", StringComparison.Ordinal) && !file.EndsWith(".copy", StringComparison.Ordinal));
        byte[] content = await File.ReadAllBytesAsync(slot, Cancel);
        BackupAgent beta = await _agents.ActivateAsync("BETA");
        await alpha.RotateKeyAsync(Other, Cancel);
        await File.WriteAllBytesAsync(slot, content, Cancel);

        await FailsAsync(BackupErrorId.KeyEpochOutdated, null, () => _agents.BackUpAsync(beta));
        await FailsAsync(BackupErrorId.KeyEpochOutdated, null, () => beta.Machine.Key.RepairAsync(Passphrase, Cancel));
        await FailsAsync(BackupErrorId.KeyEpochOutdated, null, () => _agents.ActivateAsync("GAMMA"));
        await FailsAsync(BackupErrorId.KeyEpochOutdated, null, () => beta.RotateKeyAsync("a passphrase that nobody gets", Cancel));
        await beta.Machine.Key.RepairAsync(Other, Cancel);
        Assert.True((await alpha.RotateKeyAsync(Other, Cancel)).Count > 0);
    }
}
