using System.Text.RegularExpressions;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Machine.AgentFixture;

namespace MSOnlineBackup.Engine.Tests.Machine;

public sealed class ActivationTests : IDisposable
{
    private const string Damaged = "0x1FC07";
    private const string NotConfigured = "34506";

    private readonly AgentFixture _agents = new();

    public void Dispose() => _agents.Dispose();

    [Fact]
    public async Task Registered_then_activated_then_the_rest()
    {
        BackupAgent agent = _agents.Open();
        await FailsAsync(BackupErrorId.MachineNotRegistered, null, () => agent.Machine.Key.SetPassphraseAsync(Passphrase, Cancel));
        await FailsAsync(BackupErrorId.MachineNotRegistered, null, () => agent.OpenEngineAsync(Cancel));
        await _agents.RegisterAsync();
        await FailsAsync(BackupErrorId.MachineNotActivated, null, () => agent.OpenEngineAsync(Cancel));
        await FailsAsync(BackupErrorId.MachineNotActivated, null, () => agent.Machine.Key.RepairAsync(Passphrase, Cancel));

        await agent.Machine.Key.SetPassphraseAsync(Passphrase, Cancel);

        Assert.True(_agents.Open().Machine.HasPassphrase);
        await _agents.BackUpAsync(_agents.Open());
        Assert.Single(await (await agent.OpenEngineAsync(_agents.Vault, Passphrase, Cancel)).ListPointsAsync("ALPHA", Cancel));
    }

    [Theory]
    [InlineData("fifteen letters")]
    [InlineData("")]
    [InlineData("long enough but not äscii")]
    public async Task A_weak_passphrase_changes_nothing(string weak)
    {
        BackupAgent agent = await _agents.RegisterAsync();

        await FailsAsync(BackupErrorId.PassphraseInvalid, null, () => agent.Machine.Key.SetPassphraseAsync(weak, Cancel));

        Assert.False(agent.Machine.HasPassphrase);
        Assert.False(Directory.Exists(Path.Combine(_agents.Vault, "keys")));
    }

    [Fact]
    public async Task The_key_file_is_the_owners_and_neither_it_nor_anything_else_holds_the_passphrase()
    {
        await _agents.ActivateAsync();

        Assert.True(File.Exists(_agents.Key));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_agents.Key));
        }

        foreach (string file in Directory.EnumerateFiles(Path.GetDirectoryName(_agents.State)!, "*", SearchOption.AllDirectories).Concat(Directory.EnumerateFiles(_agents.Vault, "*", SearchOption.AllDirectories)))
        {
            Assert.DoesNotContain(Passphrase, System.Text.Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, Cancel)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_key_file_that_is_deleted_truncated_or_altered_is_told_at_the_start_of_a_backup_and_heals_when_it_is_back()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        byte[] whole = await File.ReadAllBytesAsync(_agents.Key, Cancel);
        for (int at = 0; at < whole.Length; at += 3)
        {
            byte[] flipped = [.. whole];
            flipped[at] ^= 1;
            await File.WriteAllBytesAsync(_agents.Key, flipped, Cancel);
            await FailsAsync(BackupErrorId.KeyFileInvalid, NotConfigured, () => agent.OpenEngineAsync(Cancel));
            await File.WriteAllBytesAsync(_agents.Key, whole[..at], Cancel);
            await FailsAsync(BackupErrorId.KeyFileInvalid, NotConfigured, () => agent.OpenEngineAsync(Cancel));
        }

        File.Delete(_agents.Key);
        BackupException missing = await FailsAsync(BackupErrorId.KeyFileInvalid, NotConfigured, () => agent.OpenEngineAsync(Cancel));
        Assert.Contains("missing", missing.Message, StringComparison.Ordinal);

        await File.WriteAllBytesAsync(_agents.Key, whole, Cancel);
        await agent.OpenEngineAsync(Cancel);
    }

    [Fact]
    public async Task The_fault_of_a_key_file_is_known_without_the_vault_and_ends_when_the_file_is_back()
    {
        BackupAgent agent = await _agents.RegisterAsync();
        await FailsAsync(BackupErrorId.MachineNotActivated, null, () => Task.FromResult(agent.Machine.Key.FindFault()));
        await _agents.ActivateAsync();
        byte[] whole = await File.ReadAllBytesAsync(_agents.Key, Cancel);
        Directory.Move(_agents.Vault, _agents.Vault + "-away");
        Assert.Null(agent.Machine.Key.FindFault());

        await File.WriteAllBytesAsync(_agents.Key, [.. whole[..^1], (byte)(whole[^1] ^ 1)], Cancel);
        Assert.Equal(NotConfigured, agent.Machine.Key.FindFault()!.ErrorCode);
        File.Delete(_agents.Key);
        Assert.Equal(NotConfigured, agent.Machine.Key.FindFault()!.ErrorCode);
        Directory.Delete(Path.GetDirectoryName(_agents.Key)!);
        Assert.Equal(Damaged, agent.Machine.Key.FindFault()!.ErrorCode);

        Directory.CreateDirectory(Path.GetDirectoryName(_agents.Key)!);
        await File.WriteAllBytesAsync(_agents.Key, whole, Cancel);
        Assert.Null(agent.Machine.Key.FindFault());
    }

    [Fact]
    public async Task Another_machines_key_file_is_refused()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        await _agents.ActivateAsync("BETA");
        File.Copy(Path.Combine(_agents.StateOf("BETA"), "scratch", KeyFile.Name), _agents.Key, overwrite: true);

        BackupException fault = await FailsAsync(BackupErrorId.KeyFileInvalid, NotConfigured, () => agent.OpenEngineAsync(Cancel));

        Assert.Contains("another machine", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_file_without_the_secret_that_sealed_it_is_of_no_use()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        string secret = Path.Combine(_agents.State, "secret.json");
        File.Delete(secret);

        BackupException fault = await FailsAsync(BackupErrorId.KeyFileInvalid, NotConfigured, () => agent.OpenEngineAsync(Cancel));
        Assert.Contains("secret", fault.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(secret), "who reads makes no secret");
        await agent.Machine.Key.RepairAsync(Passphrase, Cancel);

        await agent.OpenEngineAsync(Cancel);
    }

    [Fact]
    public async Task A_lost_key_file_is_made_anew_by_the_passphrase_and_the_next_backup_is_incremental()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        await _agents.BackUpAsync(agent);
        Directory.Delete(Path.GetDirectoryName(_agents.Key)!, recursive: true);
        await FailsAsync(BackupErrorId.PassphraseRejected, null, () => agent.Machine.Key.RepairAsync(Other, Cancel));

        await agent.Machine.Key.RepairAsync(Passphrase, Cancel);

        Assert.Equal((1, 0), ((await _agents.BackUpAsync(agent)) is var result ? result.UnchangedFiles : 0, result.NewFiles));
    }

    [Fact]
    public async Task Where_the_slot_of_the_passphrase_before_cannot_be_removed_that_both_open_the_backups_is_said()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        var denied = new BackupException(BackupErrorId.VaultAccessDenied, "Nothing may be deleted.", "Ask the owner.");
        _agents.Decorate = store => new WatchedVaultStore(store, _ => { }, _ => Task.FromException(denied));

        BackupException error = await FailsAsync(BackupErrorId.VaultAccessDenied, null, () => agent.Machine.Key.SetPassphraseAsync(Other, Cancel));

        Assert.Contains("whatever opened it still opens them", error.Message, StringComparison.Ordinal);
        Assert.Contains($"obengine key remove {error.Target}", error.RecommendedAction, StringComparison.Ordinal);
        await agent.OpenEngineAsync(Cancel);
        await agent.OpenEngineAsync(_agents.Vault, Passphrase, Cancel);
        await agent.OpenEngineAsync(_agents.Vault, Other, Cancel);
    }

    [Fact]
    public async Task Three_damages_of_an_activation_are_told_apart_when_the_passphrase_is_changed()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        string scratch = Path.GetDirectoryName(_agents.Key)!;

        File.Move(_agents.Key, _agents["kept"]);
        BackupException missing = await FailsAsync(BackupErrorId.ActivationDamaged, Damaged, () => agent.Machine.Key.SetPassphraseAsync(Other, Cancel));
        Assert.EndsWith("it is missing.", missing.Message, StringComparison.Ordinal);
        Assert.Single(Regex.Matches(missing.Message, Regex.Escape(KeyFile.Name)));
        File.Move(_agents["kept"], _agents.Key);

        string elsewhere = Directory.CreateDirectory(_agents["scratch"]).FullName;
        await agent.Machine.Scratch.MoveAsync(elsewhere, Cancel);
        Directory.Move(elsewhere, _agents["moved"]);
        BackupException moved = await FailsAsync(BackupErrorId.ActivationDamaged, Damaged, () => agent.Machine.Key.SetPassphraseAsync(Other, Cancel));
        Assert.Contains("was not found", moved.Message, StringComparison.Ordinal);
        await FailsAsync(BackupErrorId.ActivationDamaged, Damaged, () => agent.OpenEngineAsync(Cancel));
        Directory.Move(_agents["moved"], elsewhere);

        Assert.False(File.Exists(Path.Combine(scratch, KeyFile.Name)));
        await agent.OpenEngineAsync(Cancel);
    }

    [Fact]
    public async Task A_full_scratch_volume_is_told_before_anything_is_done()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Needs root on Linux to mount.");
        BackupAgent agent = await _agents.RegisterAsync();
        using MountedFileSystem mounted = MountedFileSystem.InMemory(_agents["small"], "128k");
        await agent.Machine.Scratch.MoveAsync(_agents["small"], Cancel);
        await File.WriteAllBytesAsync(Path.Combine(_agents["small"], "filler"), new byte[112 << 10], Cancel);

        BackupException full = await FailsAsync(BackupErrorId.ActivationDamaged, Damaged, () => agent.Machine.Key.SetPassphraseAsync(Passphrase, Cancel));

        Assert.Contains("full", full.Message, StringComparison.Ordinal);
        Assert.False(agent.Machine.HasPassphrase);
        Assert.False(Directory.Exists(Path.Combine(_agents.Vault, "keys")));
    }

    [Fact]
    public async Task A_key_file_that_cannot_be_written_leaves_the_machine_unactivated_and_the_passphrase_in_a_rescue_file()
    {
        BackupAgent agent = await _agents.RegisterAsync();
        Directory.CreateDirectory(Path.Combine(_agents.Key, "in the way"));

        BackupException fault = await FailsAsync(BackupErrorId.ActivationFailed, null, () => agent.Machine.Key.SetPassphraseAsync(Passphrase, Cancel));

        string rescue = Assert.Single(Directory.GetFiles(_agents.State, "*.rescue"));
        Assert.Contains(rescue, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Passphrase, fault.ToString(), StringComparison.Ordinal);
        Assert.Equal(Passphrase, (await File.ReadAllTextAsync(rescue, Cancel)).TrimEnd());
        Assert.False(agent.Machine.HasPassphrase);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(rescue));
        }

        Directory.Delete(_agents.Key, recursive: true);
        await agent.Machine.Key.SetPassphraseAsync(Passphrase, Cancel);

        Assert.Empty(Directory.GetFiles(_agents.State, "*.rescue"));
        await _agents.BackUpAsync(agent);
        Assert.Single(Directory.GetDirectories(Path.Combine(_agents.Vault, "keys")), folder => Path.GetFileName(folder) != "order");
    }

    [Fact]
    public async Task A_failed_first_passphrase_binds_nobody_to_it()
    {
        BackupAgent agent = await _agents.RegisterAsync();
        Directory.CreateDirectory(Path.Combine(_agents.Key, "in the way"));
        await FailsAsync(BackupErrorId.ActivationFailed, null, () => agent.Machine.Key.SetPassphraseAsync(Passphrase, Cancel));
        Directory.Delete(_agents.Key, recursive: true);

        await agent.Machine.Key.SetPassphraseAsync(Other, Cancel);

        await agent.OpenEngineAsync(Cancel);
    }

    [Fact]
    public async Task A_new_passphrase_replaces_the_old_one_and_touches_no_data()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        await _agents.BackUpAsync(agent);
        string[] before = Data();

        await agent.Machine.Key.SetPassphraseAsync(Other, Cancel);

        Assert.Equal(before, Data());
        await FailsAsync(BackupErrorId.PassphraseRejected, null, () => agent.OpenEngineAsync(_agents.Vault, Passphrase, Cancel));
        Assert.Single(await (await agent.OpenEngineAsync(_agents.Vault, Other, Cancel)).ListKeysAsync(Cancel));
        Assert.Equal(1, (await _agents.BackUpAsync(agent)).UnchangedFiles);
    }

    [Fact]
    public async Task A_change_that_fails_leaves_the_old_passphrase_and_no_other()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        string blocker = _agents.Key + ".new";
        Directory.CreateDirectory(Path.Combine(blocker, "in the way"));

        BackupException fault = await FailsAsync(BackupErrorId.ActivationFailed, null, () => agent.Machine.Key.SetPassphraseAsync(Other, Cancel));

        Assert.Contains("still applies", fault.Message, StringComparison.Ordinal);
        await FailsAsync(BackupErrorId.PassphraseRejected, null, () => agent.OpenEngineAsync(_agents.Vault, Other, Cancel));
        Assert.Single(await (await agent.OpenEngineAsync(Cancel)).ListKeysAsync(Cancel));
        Assert.Empty(Directory.GetFiles(_agents.State, "*.rescue"));
    }

    [Theory]
    [InlineData(FaultTiming.BeforeEffect)]
    [InlineData(FaultTiming.AfterEffect)]
    public async Task Whichever_call_on_the_vault_fails_a_first_passphrase_can_be_set_again(FaultTiming timing)
    {
        for (int at = 1; ; at++)
        {
            using var agents = new AgentFixture();
            BackupAgent agent = await agents.RegisterAsync();
            if (await FailAtAsync(agents, at, timing, () => agent.Machine.Key.SetPassphraseAsync(Passphrase, Cancel)))
            {
                break;
            }

            Assert.False(agent.Machine.HasPassphrase);
            Assert.False(File.Exists(agents.Key));
            await agent.Machine.Key.SetPassphraseAsync(Passphrase, Cancel);

            await agents.BackUpAsync(agent);
            Assert.Empty(Directory.GetFiles(agents.State, "*.rescue"));
            await agent.OpenEngineAsync(agents.Vault, Passphrase, Cancel);
        }
    }

    [Theory]
    [InlineData(FaultTiming.BeforeEffect)]
    [InlineData(FaultTiming.AfterEffect)]
    public async Task Whichever_call_on_the_vault_fails_a_change_can_be_made_again_and_the_machine_goes_on(FaultTiming timing)
    {
        for (int at = 1; ; at++)
        {
            using var agents = new AgentFixture();
            BackupAgent agent = await agents.ActivateAsync();
            if (await FailAtAsync(agents, at, timing, () => agent.Machine.Key.SetPassphraseAsync(Other, Cancel)))
            {
                break;
            }

            await agents.BackUpAsync(agent);
            await agent.Machine.Key.SetPassphraseAsync(Other, Cancel);

            Assert.Equal(1, (await agents.BackUpAsync(agent)).UnchangedFiles);
            await agent.OpenEngineAsync(agents.Vault, Other, Cancel);
        }
    }

    [Fact]
    public async Task A_second_machine_of_the_same_name_is_refused_unless_it_knows_the_passphrase()
    {
        BackupAgent first = await _agents.ActivateAsync();
        await _agents.BackUpAsync(first);
        string elsewhere = _agents["new-state"];
        BackupAgent second = await _agents.RegisterAsync("alpha", elsewhere);

        BackupException fault = await FailsAsync(BackupErrorId.MachineNameTaken, null, () => second.Machine.Key.SetPassphraseAsync(Other, Cancel));
        Assert.Contains("ALPHA", fault.Message, StringComparison.Ordinal);
        Assert.False(second.Machine.HasPassphrase);
        Assert.Empty(Directory.GetFiles(elsewhere, "*.rescue"));

        await second.Machine.Key.SetPassphraseAsync(Passphrase, Cancel);

        IReadOnlyList<RecoveryPoint> points = await (await second.OpenEngineAsync(Cancel)).ListPointsAsync("alpha", Cancel);
        Assert.Single(points);
        Assert.Equal(1, (await _agents.BackUpAsync(second)).UnchangedFiles);
    }

    [Fact]
    public async Task Machines_with_the_same_passphrase_share_a_store_and_others_do_not()
    {
        UnlockedVault alpha = await (await _agents.ActivateAsync()).OpenEngineAsync(Cancel);
        UnlockedVault beta = await (await _agents.ActivateAsync("BETA")).OpenEngineAsync(Cancel);
        UnlockedVault gamma = await (await _agents.ActivateAsync("GAMMA", Other)).OpenEngineAsync(Cancel);

        Assert.Equal(alpha.Key.StoreId, beta.Key.StoreId);
        Assert.NotEqual(alpha.Key.StoreId, gamma.Key.StoreId);
        Assert.Equal(["ALPHA", "BETA", "GAMMA"], (await _agents.Open().Vaults.InspectAsync(_agents.Vault, Cancel)).Machines);
    }

    [Fact]
    public async Task A_machine_whose_passphrase_another_one_changed_goes_on()
    {
        BackupAgent alpha = await _agents.ActivateAsync();
        BackupAgent beta = await _agents.ActivateAsync("BETA");

        await alpha.Machine.Key.SetPassphraseAsync(Other, Cancel);
        await _agents.BackUpAsync(beta);
        await beta.Machine.Key.SetPassphraseAsync("a third one for tests", Cancel);

        await _agents.BackUpAsync(alpha);
    }

    [Fact]
    public async Task A_key_whose_store_has_no_slot_or_a_strangers_is_not_used()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        string slots = Assert.Single(Directory.GetDirectories(Path.Combine(_agents.Vault, "keys")), folder => Path.GetFileName(folder) != "order");
        File.Delete(Assert.Single(Directory.GetFiles(slots, "*.copy")));
        string slot = Assert.Single(Directory.GetFiles(slots));
        byte[] content = await File.ReadAllBytesAsync(slot, Cancel);

        File.Delete(slot);
        await FailsAsync(BackupErrorId.KeySlotNotFound, null, () => agent.OpenEngineAsync(Cancel));

        // Of another master key, and as sound as can be: even the passphrase opens it.
        await _agents.PlantAsync(slot, identity => Task.FromResult(MSOnlineBackup.Vaults.Cryptography.KeySlot.Create(Passphrase, new byte[32], identity, MSOnlineBackup.Vaults.Cryptography.PassphraseDerivation.ByPbkdf2(1), null, DateTimeOffset.UnixEpoch)));
        await FailsAsync(BackupErrorId.KeyFileInvalid, NotConfigured, () => agent.OpenEngineAsync(Cancel));
        BackupException fault = await FailsAsync(BackupErrorId.ChunkStoreExchanged, null, () => agent.Machine.Key.RepairAsync(Passphrase, Cancel));
        Assert.Contains(_agents.Vault, fault.Message, StringComparison.Ordinal);
        await FailsAsync(BackupErrorId.KeyFileInvalid, NotConfigured, () => agent.OpenEngineAsync(Cancel));

        await File.WriteAllBytesAsync(slot, content, Cancel);
        await agent.Machine.Key.RepairAsync(Passphrase, Cancel);
        await _agents.BackUpAsync(agent);
    }

    [Fact]
    public async Task Another_vault_at_the_same_place_gets_no_data()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        Directory.Move(_agents.Vault, _agents["elsewhere"]);
        await FailsAsync(BackupErrorId.VaultNotFound, null, () => agent.OpenEngineAsync(Cancel));
        await agent.Ownership.CreateVaultAsync(_agents.Vault, "Impostor", Cancel);

        await FailsAsync(BackupErrorId.VaultNotFound, null, () => agent.OpenEngineAsync(Cancel));
    }

    [Fact]
    public async Task Two_agents_that_set_the_passphrase_at_once_agree()
    {
        await _agents.RegisterAsync();

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => _agents.Open().Machine.Key.SetPassphraseAsync(Passphrase, Cancel))));

        Assert.Single(await (await _agents.Open().OpenEngineAsync(Cancel)).ListKeysAsync(Cancel));
    }

    // Whether there was no such call any more.
    private static async Task<bool> FailAtAsync(AgentFixture agents, int at, FaultTiming timing, Func<Task> action)
    {
        FaultyVaultStore? faulty = null;
        agents.Decorate = store => faulty = new FaultyVaultStore(store) { FailAt = at, Timing = timing, Kind = FaultKind.ForGood };
        Exception? failure = await Record.ExceptionAsync(action);
        agents.Decorate = static store => store;
        if (faulty!.CountedCalls < at)
        {
            Assert.Null(failure);
            return true;
        }

        Assert.IsType<BackupException>(failure);
        Assert.DoesNotContain(Passphrase, failure.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(Other, failure.ToString(), StringComparison.Ordinal);
        return false;
    }

    private string[] Data() =>
        [.. Directory.EnumerateFiles(_agents.Vault, "*", SearchOption.AllDirectories).Where(file => !file.Contains("/keys/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
}
