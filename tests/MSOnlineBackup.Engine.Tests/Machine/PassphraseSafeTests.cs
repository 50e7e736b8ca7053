using MSOnlineBackup.Agent;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using Xunit;
using IPassphraseSafe = MSOnlineBackup.Vaults.Cryptography.IPassphraseSafe;
using PassphraseOwner = MSOnlineBackup.Vaults.Cryptography.PassphraseOwner;
using static MSOnlineBackup.Engine.Tests.Machine.AgentFixture;

namespace MSOnlineBackup.Engine.Tests.Machine;

/// <summary>A passphrase that is kept beyond the machine: whatever fails, nothing is lost.</summary>
public sealed class PassphraseSafeTests : IDisposable
{
    private const string Uri = "https://backups.vault.azure.net/";

    private readonly AgentFixture _agents = new();
    private readonly MemorySafe _safe = new();

    public PassphraseSafeTests() => _agents.Safe = _safe;

    public void Dispose() => _agents.Dispose();

    [Fact]
    public async Task A_passphrase_is_in_the_safe_and_in_no_local_file()
    {
        BackupAgent agent = await _agents.RegisterAsync();

        await agent.Machine.Key.SetPassphraseAsync(Passphrase, Cancel, Uri);

        Assert.True(agent.Machine.HasPassphrase);
        Assert.Equal([Passphrase], _safe.Versions);
        Assert.Equal(new PassphraseOwner("ALPHA.example.org", "Office", agent.Machine.Registration!.VaultId), _agents.Owner);
        AssertInNoFile(Passphrase);
        await _agents.BackUpAsync(agent);
    }

    [Fact]
    public async Task A_changed_passphrase_is_the_next_version_and_the_one_that_opens()
    {
        BackupAgent agent = await ActivateAsync();

        await agent.Machine.Key.SetPassphraseAsync(Other, Cancel, Uri);

        Assert.Equal([Passphrase, Other], _safe.Versions);
        await agent.OpenEngineAsync(_agents.Vault, Other, Cancel);
        await FailsAsync(BackupErrorId.PassphraseRejected, null, () => agent.OpenEngineAsync(_agents.Vault, Passphrase, Cancel));
    }

    [Fact]
    public async Task What_the_safe_refuses_leaves_the_machine_unactivated_and_writes_nothing_down()
    {
        BackupAgent agent = await _agents.RegisterAsync();
        _safe.WriteFault = Fault("391225");

        await FailsAsync(BackupErrorId.KeyVaultAccessDenied, "391225", () => agent.Machine.Key.SetPassphraseAsync(Passphrase, Cancel, Uri));

        Assert.False(agent.Machine.HasPassphrase);
        AssertInNoFile(Passphrase);

        // Nor is the machine's name bound to the passphrase that nobody keeps.
        _safe.WriteFault = null;
        await agent.Machine.Key.SetPassphraseAsync(Other, Cancel, Uri);
        Assert.Equal([Other], _safe.Versions);
    }

    [Fact]
    public async Task A_safe_that_gives_back_something_else_is_not_relied_upon()
    {
        BackupAgent agent = await _agents.RegisterAsync();
        _safe.IsForgetful = true;

        await FailsAsync(BackupErrorId.KeyVaultSecretUnusable, null, () => agent.Machine.Key.SetPassphraseAsync(Passphrase, Cancel, Uri));

        Assert.False(agent.Machine.HasPassphrase);
    }

    [Fact]
    public async Task A_key_file_that_cannot_be_written_leaves_the_passphrase_in_the_safe_and_no_rescue_file()
    {
        BackupAgent agent = await _agents.RegisterAsync();
        Directory.CreateDirectory(Path.Combine(_agents.Key, "in the way"));

        BackupException fault = await FailsAsync(BackupErrorId.ActivationFailed, null, () => agent.Machine.Key.SetPassphraseAsync(Passphrase, Cancel, Uri));

        Assert.Contains(_safe.Location, fault.Message, StringComparison.Ordinal);
        Assert.False(agent.Machine.HasPassphrase);
        AssertInNoFile(Passphrase);
        Directory.Delete(_agents.Key, recursive: true);
        await agent.Machine.Key.SetPassphraseAsync(await _safe.ReadAsync(Cancel), Cancel, Uri);
        await _agents.BackUpAsync(agent);
    }

    [Fact]
    public async Task A_change_that_the_safe_refuses_changes_nothing()
    {
        BackupAgent agent = await ActivateAsync();
        _safe.WriteFault = Fault("391225");

        await FailsAsync(BackupErrorId.KeyVaultAccessDenied, "391225", () => agent.Machine.Key.SetPassphraseAsync(Other, Cancel, Uri));

        Assert.Equal([Passphrase], _safe.Versions);
        await FailsAsync(BackupErrorId.PassphraseRejected, null, () => agent.OpenEngineAsync(_agents.Vault, Other, Cancel));
        Assert.Single(await (await agent.OpenEngineAsync(_agents.Vault, Passphrase, Cancel)).ListKeysAsync(Cancel));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task After_a_change_of_which_nobody_knows_whether_the_safe_has_it_what_the_safe_has_opens(bool hasArrived)
    {
        BackupAgent agent = await ActivateAsync();
        (_safe.WriteFault, _safe.ReadFault, _safe.KeepsDespiteFault) = (Fault(null), Fault(null), hasArrived);

        await FailsAsync(BackupErrorId.KeyVaultAccessDenied, null, () => agent.Machine.Key.SetPassphraseAsync(Other, Cancel, Uri));

        (_safe.WriteFault, _safe.ReadFault) = (null, null);
        await agent.OpenEngineAsync(_agents.Vault, await _safe.ReadAsync(Cancel), Cancel);
        await agent.OpenEngineAsync(_agents.Vault, Passphrase, Cancel);
        await agent.OpenEngineAsync(Cancel);
    }

    [Fact]
    public async Task A_change_whose_key_file_fails_leaves_both_passphrases_good()
    {
        BackupAgent agent = await ActivateAsync();
        Directory.CreateDirectory(Path.Combine(_agents.Key + ".new", "in the way"));

        BackupException fault = await FailsAsync(BackupErrorId.ActivationFailed, null, () => agent.Machine.Key.SetPassphraseAsync(Other, Cancel, Uri));

        Assert.Contains("still applies, and the new one", fault.Message, StringComparison.Ordinal);
        await agent.OpenEngineAsync(_agents.Vault, await _safe.ReadAsync(Cancel), Cancel);
        await agent.OpenEngineAsync(_agents.Vault, Passphrase, Cancel);
    }

    [Fact]
    public async Task A_lost_key_file_is_made_anew_by_the_safe()
    {
        BackupAgent agent = await ActivateAsync();
        await _agents.BackUpAsync(agent);
        File.Delete(_agents.Key);

        await agent.Machine.Key.RepairFromSafeAsync(Uri, Cancel);

        Assert.Equal(1, (await _agents.BackUpAsync(agent)).UnchangedFiles);
    }

    [Fact]
    public async Task A_lost_key_file_is_made_anew_by_a_Key_Vault_key()
    {
        BackupAgent agent = await ActivateAsync();
        await _agents.BackUpAsync(agent);
        _agents.Wrapping = RsaKey.Create();
        string keyUri = _agents.Wrapping.Id;
        await FailsAsync(BackupErrorId.KeySlotNotFound, null, () => agent.Machine.Key.RepairByKeyVaultAsync(keyUri, Cancel));
        await (await agent.OpenEngineAsync(Cancel)).AddKeyAsync(_agents.Wrapping, null, Cancel);
        File.Delete(_agents.Key);

        await agent.Machine.Key.RepairByKeyVaultAsync(keyUri, Cancel);

        Assert.Equal(1, (await _agents.BackUpAsync(agent)).UnchangedFiles);
    }

    [Fact]
    public async Task A_store_that_was_exchanged_with_all_its_slots_is_refused_though_the_Key_Vault_key_opens_it()
    {
        BackupAgent agent = await ActivateAsync();
        await _agents.BackUpAsync(agent);
        _agents.Wrapping = RsaKey.Create();
        string keyUri = _agents.Wrapping.Id;
        string store = Assert.Single(Directory.GetDirectories(Path.Combine(_agents.Vault, "keys")), folder => Path.GetFileName(folder) != "order");
        Array.ForEach(Directory.GetFiles(store), File.Delete);
        Directory.Delete(Path.Combine(_agents.Vault, "stores"), recursive: true);

        // Whoever knows the key's public half can wrap.
        await _agents.PlantAsync(Path.Combine(store, new string('1', 32)), identity => MSOnlineBackup.Vaults.Cryptography.KeySlot.CreateAsync(_agents.Wrapping, new byte[32], identity, null, DateTimeOffset.UnixEpoch, Cancel));

        await FailsAsync(BackupErrorId.ChunkStoreExchanged, null, () => agent.Machine.Key.RepairByKeyVaultAsync(keyUri, Cancel));
        await FailsAsync(BackupErrorId.KeyFileInvalid, "34506", () => agent.OpenEngineAsync(Cancel));
    }

    [Fact]
    public async Task Without_Key_Vaults_it_is_said()
    {
        BackupAgent agent = await ActivateAsync();
        _agents.Safe = null;

        await FailsAsync(BackupErrorId.NotAvailable, null, () => _agents.Open().Machine.Key.SetPassphraseAsync(Other, Cancel, Uri));
        await agent.OpenEngineAsync(_agents.Vault, Passphrase, Cancel);
    }

    private static BackupException Fault(string? code) => new(BackupErrorId.KeyVaultAccessDenied, "Not you.", "Ask the owner.", errorCode: code);

    private async Task<BackupAgent> ActivateAsync()
    {
        BackupAgent agent = await _agents.RegisterAsync();
        await agent.Machine.Key.SetPassphraseAsync(Passphrase, Cancel, Uri);
        return agent;
    }

    private void AssertInNoFile(string passphrase)
    {
        string[] files = Directory.GetFiles(_agents.State, "*", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        Assert.All(files, file => Assert.DoesNotContain(passphrase, File.ReadAllText(file), StringComparison.Ordinal));
    }

    private sealed class MemorySafe : IPassphraseSafe
    {
        public List<string> Versions { get; } = [];

        public BackupException? WriteFault { get; set; }

        public BackupException? ReadFault { get; set; }

        public bool KeepsDespiteFault { get; set; }

        public bool IsForgetful { get; set; }

        public string Location => Uri + "secrets/AzBackup";

        public Task<string> ReadAsync(CancellationToken cancellationToken) =>
            ReadFault is { } fault ? throw fault
            : Versions is not [.., { } newest] ? throw new BackupException(BackupErrorId.KeyVaultSecretNotFound, "Nothing is here.", "Set it.")
            : Task.FromResult(IsForgetful ? newest + "?" : newest);

        public Task WriteAsync(string passphrase, CancellationToken cancellationToken)
        {
            if (WriteFault is null || KeepsDespiteFault)
            {
                Versions.Add(passphrase);
            }

            return WriteFault is { } fault ? throw fault : Task.CompletedTask;
        }
    }
}
