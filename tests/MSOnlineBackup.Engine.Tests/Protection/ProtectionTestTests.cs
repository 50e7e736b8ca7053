using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Protection;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Verification;
using MSOnlineBackup.Vaults.Progress;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Protection;

/// <summary>The drill of an attacker: what a vault's protection says of itself is what was tried.</summary>
public sealed class ProtectionTestTests : IDisposable
{
    private const string Passphrase = "a passphrase for tests";

    private readonly TempFolder _folder = new();
    private readonly KeptOwner _owner = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task In_a_folder_that_one_may_write_to_the_product_alone_holds_what_it_can()
    {
        Vault vault = await MakeAsync();
        string[] before = Files();

        Dictionary<ProtectionCheck, ProtectionFinding> findings = await TestAsync(vault, keepsOwnerKey: true);

        Assert.Equal(Enum.GetValues<ProtectionCheck>(), findings.Keys.Order());
        Assert.Equal(
            [ProtectionCheck.Shorten],
            findings.Values.Where(finding => finding.Verdict == ProtectionVerdict.Held).Select(finding => finding.Check));
        Assert.All(findings.Values, finding => Assert.Equal(finding.Verdict == ProtectionVerdict.NotHeld, finding.Advice.Length > 0));
        Assert.Equal(before, Files());
    }

    [Fact]
    public async Task What_the_owner_turns_on_holds()
    {
        Vault vault = await MakeAsync();
        await vault.ChangeSettingsAsync(
            _owner.Key, settings => settings with { RequiresPin = true, Immutability = VaultImmutability.On, ImmutableDays = 7 }, Cancel);

        Dictionary<ProtectionCheck, ProtectionFinding> findings = await TestAsync(vault, keepsOwnerKey: false);

        foreach (ProtectionCheck check in new[] { ProtectionCheck.BecomeOwner, ProtectionCheck.Destroy, ProtectionCheck.DeleteYoung, ProtectionCheck.Shorten })
        {
            Assert.Equal(ProtectionVerdict.Held, findings[check].Verdict);
        }
    }

    [Fact]
    public async Task A_credential_that_adds_and_reads_cannot_harm_and_leaves_probes_that_the_owner_removes()
    {
        await MakeAsync();
        var open = new FolderVaultStore(_folder["vault"]);
        Vault vault = await Vault.OpenAsync(new AddOnlyStore(open), TestOptions.Quick, Cancel);

        Dictionary<ProtectionCheck, ProtectionFinding> findings = await TestAsync(vault, keepsOwnerKey: false);

        foreach (ProtectionCheck check in new[] { ProtectionCheck.Delete, ProtectionCheck.Overwrite, ProtectionCheck.Backdate, ProtectionCheck.Hide })
        {
            Assert.Equal(ProtectionVerdict.Held, findings[check].Verdict);
        }

        Assert.NotEmpty(await ProbesAsync(open));
        using UnlockedVault unlocked = await TestVault.UnlockAsync(open, Passphrase, TestOptions.Quick, Cancel);
        VerifyReport report = await unlocked.VerifyAsync(VerifyLevel.Structure, new JobMonitor(), Cancel);
        Assert.Empty(report.Findings);
        Assert.Empty(report.Strangers);
        await TestAsync(await Vault.OpenAsync(open, TestOptions.Quick, Cancel), keepsOwnerKey: false);
        Assert.Empty(await ProbesAsync(open));
    }

    [Fact]
    public async Task Who_may_only_read_tries_nothing()
    {
        await MakeAsync();
        Vault vault = await Vault.OpenAsync(new AddOnlyStore(new FolderVaultStore(_folder["vault"]), mayAdd: false), TestOptions.Quick, Cancel);

        Dictionary<ProtectionCheck, ProtectionFinding> findings = await TestAsync(vault, keepsOwnerKey: false);

        Assert.Equal(ProtectionVerdict.NotApplicable, findings[ProtectionCheck.Delete].Verdict);
        Assert.Equal(ProtectionVerdict.Held, findings[ProtectionCheck.Flood].Verdict);
    }

    private async Task<Vault> MakeAsync() =>
        await Vault.CreateAsync(FolderVaultStore.Create(_folder["vault"]), Passphrase, TestOptions.Quick, Cancel, _owner.Keep);

    private static async Task<Dictionary<ProtectionCheck, ProtectionFinding>> TestAsync(Vault vault, bool keepsOwnerKey) =>
        (await vault.TestProtectionAsync(keepsOwnerKey, Cancel)).ToDictionary(finding => finding.Check);

    private static async Task<List<StoredObject>> ProbesAsync(FolderVaultStore store) => await store.ListAsync(VaultLayout.Probes, Cancel).ToListAsync(Cancel);

    private string[] Files() => [.. Directory.GetFiles(_folder["vault"], "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];

    /// <summary>A folder behind a server that lets machines add and read.</summary>
    private sealed class AddOnlyStore(IVaultStore inner, bool mayAdd = true) : IVaultStore, IVaultAttack
    {
        public string Location => inner.Location;

        public VaultStoreCapabilities Capabilities => inner.Capabilities;

        public IVaultAttack Attack => this;

        public ValueTask<bool> TryCreateAsync(
            string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot) =>
            mayAdd ? inner.TryCreateAsync(name, content, cancellationToken, tier) : throw Denied(name);

        public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
            inner.ReadAsync(name, offset, destination, cancellationToken);

        public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken) => inner.StatAsync(name, cancellationToken);

        public IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

        public ValueTask DeleteAsync(string name, CancellationToken cancellationToken) => throw Denied(name);

        public ValueTask OverwriteAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => throw Denied(name);

        public ValueTask<bool> BackdateAsync(string name, DateTimeOffset created, CancellationToken cancellationToken) => throw Denied(name);

        public ValueTask<StorageProtection?> ReadProtectionAsync(string name, CancellationToken cancellationToken) => new((StorageProtection?)null);

        private static BackupException Denied(string name) => new(BackupErrorId.VaultAccessDenied, $"'{name}' is refused.", "None: a test.", name);
    }
}
