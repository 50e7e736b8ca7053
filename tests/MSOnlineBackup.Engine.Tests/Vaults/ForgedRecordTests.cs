using System.Text;
using System.Text.Json;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Vaults.TestStores;

namespace MSOnlineBackup.Engine.Tests.Vaults;

/// <summary>A thief who has what a machine has, the right to read and to create, tries what only the owner may do.</summary>
public sealed class ForgedRecordTests : IDisposable
{
    private const string Limit = """{"machineLimit":10000}""";

    private readonly MemoryVaultStore _objects = new();
    private readonly OwnerKey _thief = OwnerKey.Create();

    private VaultSettingsRegister Settings => new VaultSettingsRegister(TestVault.Of(_objects, Header));

    public void Dispose() => _thief.Dispose();

    public static TheoryData<string> Forgeries =>
        ["plain", "unsigned", "another's signature", "another vault's", "another number's", "another folder's", "a machine's code", "flipped"];

    [Theory]
    [MemberData(nameof(Forgeries))]
    public async Task Settings_that_the_owner_has_not_signed_are_told_and_neither_taken_nor_passed_over(string forgery)
    {
        await Settings.ChangeAsync(Owner, known => known with { MachineLimit = 1 }, Cancel);
        _objects.SetContent("settings/00000002", Forge(forgery, "settings/00000002", Limit));

        foreach (Func<Task> attempt in new Func<Task>[]
        {
            () => Settings.ReadAsync(Cancel),
            () => Settings.ChangeAsync(Owner, known => known with { MachineLimit = 2 }, Cancel),
            () => new MachineDirectory(TestVault.Of(_objects, Header)).EnsureRoomAsync("new", Cancel),
        })
        {
            BackupException fault = await Assert.ThrowsAsync<BackupException>(attempt);
            Assert.Equal((BackupErrorId.VaultDataCorrupt, "settings/00000002"), (fault.Id, fault.Target));
        }

        Assert.Equal(["settings/00000002"], await FindDamageAsync());
        _objects.Remove("settings/00000002");
        Assert.Equal(1, (await Settings.ReadAsync(Cancel)).MachineLimit);
    }

    [Fact]
    public async Task Nobody_but_the_owner_writes_a_record_through_this_code()
    {
        foreach (Func<Task> attempt in new Func<Task>[]
        {
            () => Settings.ChangeAsync(_thief, known => known with { MachineLimit = 10_000 }, Cancel),
            () => new CredentialRegister(TestVault.Of(_objects, Header)).IssueAsync(_thief, "/vault", "Office", TimeSpan.FromHours(1), Cancel),
            () => VaultRecords.AppendAsync(TestVault.Of(_objects, Header), _thief, new VaultRecord { Kind = "x" }, Cancel),
        })
        {
            Assert.Equal(BackupErrorId.OwnerForeign, (await Assert.ThrowsAsync<BackupException>(attempt)).Id);
        }

        Assert.Empty(_objects.Names);
    }

    [Theory]
    [MemberData(nameof(Forgeries))]
    public async Task A_credential_that_the_owner_has_not_issued_lets_nobody_in(string forgery)
    {
        CredentialRegister register = new CredentialRegister(TestVault.Of(_objects, Header));
        VaultCredential issued = await register.IssueAsync(Owner, "/vault", "Office", TimeSpan.FromHours(1), Cancel);
        byte[] token = new byte[32];
        string record = JsonSerializer.Serialize(
            new CredentialRecord { TokenHash = System.Security.Cryptography.SHA256.HashData(token), Issued = issued.Issued, Expires = issued.Expires.AddDays(1) },
            RegisterJson.Default.CredentialRecord);
        _objects.SetContent("credentials/00000002", Forge(forgery, "credentials/00000002", record));

        foreach (VaultCredential tried in new[] { issued with { Serial = 2, Token = token }, issued })
        {
            BackupException fault = await Assert.ThrowsAsync<BackupException>(() => register.CheckAsync(tried, "file", Cancel));
            Assert.Equal(BackupErrorId.VaultCredentialInvalid, fault.Id);
            Assert.Contains("signed", fault.Message, StringComparison.Ordinal);
        }

        Assert.Equal(["credentials/00000002"], await FindDamageAsync());

        // The owner goes on above it.
        VaultCredential newer = await register.IssueAsync(Owner, "/vault", "Office", TimeSpan.FromHours(1), Cancel);
        Assert.Equal(3u, newer.Serial);
        await register.CheckAsync(newer, "file", Cancel);
    }

    [Fact]
    public async Task A_credential_of_another_owner_is_refused()
    {
        CredentialRegister register = new CredentialRegister(TestVault.Of(_objects, Header));
        VaultCredential issued = await register.IssueAsync(Owner, "/vault", "Office", TimeSpan.FromHours(1), Cancel);

        BackupException fault =
            await Assert.ThrowsAsync<BackupException>(() => register.CheckAsync(issued with { Owner = _thief.Identity.PublicKey }, "file", Cancel));

        Assert.Equal(BackupErrorId.OwnerForeign, fault.Id);
    }

    [Theory]
    [MemberData(nameof(Forgeries))]
    public async Task A_machine_is_not_made_to_leave_by_anybody_but_the_owner(string forgery)
    {
        ChunkStore store = await OpenAsync(_objects);
        await new MachineDirectory(store.Vault).AnnounceAsync(store.Keys, "beta", mayReturn: false, Cancel);
        string name = $"machines/{Header.MachineId("beta")}/00000002";
        string left = BodyOf(_objects.GetContent(name[..^1] + '1'))[..^1] + ""","left":"2026-11-21T04:05:06Z"}""";
        _objects.SetContent(name, Forge(forgery, name, left));

        await new MachineDirectory(store.Vault).AnnounceAsync(store.Keys, "beta", mayReturn: false, Cancel);
        Assert.False(Assert.Single(await new MachineDirectory(TestVault.Of(_objects, Header)).ListAsync(Cancel)).IsGone);
        Assert.False((await new MachineDirectory(TestVault.Of(_objects, Header)).FindAsync("beta", Cancel))!.IsGone);
        Assert.Equal([name], await FindDamageAsync());
    }

    [Fact]
    public async Task A_machines_record_is_changed_by_nobody_who_lacks_its_key()
    {
        ChunkStore store = await OpenAsync(_objects);
        await new MachineDirectory(store.Vault).AnnounceAsync(store.Keys, "beta", mayReturn: false, Cancel);
        string name = $"machines/{Header.MachineId("beta")}/00000002";
        string body = BodyOf(_objects.GetContent(name[..^1] + '1')).Replace("beta", "BETA", StringComparison.Ordinal);

        foreach (byte[] forged in new[]
        {
            RecordEnvelope.Authenticate(KeyOf('b').KeysIn(Header).MachinesKey(), Header.VaultId, name, Encoding.UTF8.GetBytes(body)),
            _objects.GetContent(name[..^1] + '1'),
            Encoding.UTF8.GetBytes(body),
        })
        {
            _objects.SetContent(name, forged);
            Assert.True((await new MachineDirectory(store.Vault).LookUpAsync(store.Keys, "beta", mayReturn: false, store.Objects, Cancel)).IsAnnounced);
            Assert.Equal([name], await FindDamageAsync(store));
        }
    }

    [Fact]
    public async Task A_name_is_not_taken_by_a_record_of_another_store_above_it()
    {
        ChunkStore store = await OpenAsync(_objects);
        await new MachineDirectory(store.Vault).AnnounceAsync(store.Keys, "beta", mayReturn: false, Cancel);
        UnlockedKey thief = KeyOf('b');
        string name = $"machines/{Header.MachineId("beta")}/00000002";
        string body = BodyOf(_objects.GetContent(name[..^1] + '1')).Replace($"{Store}", $"{thief.StoreId}", StringComparison.Ordinal);
        _objects.SetContent(name, RecordEnvelope.Authenticate(thief.KeysIn(Header).MachinesKey(), Header.VaultId, name, Encoding.UTF8.GetBytes(body)));

        Assert.True((await new MachineDirectory(store.Vault).LookUpAsync(store.Keys, "beta", mayReturn: false, store.Objects, Cancel)).IsAnnounced);
        Assert.Equal(Store, (await new MachineDirectory(TestVault.Of(_objects, Header)).FindAsync("beta", Cancel))!.StoreId);

        // Once the owner has freed the name, whoever comes first has it.
        await new MachineDirectory(TestVault.Of(_objects, Header)).LeaveAsync(Owner, "beta", DateTimeOffset.UnixEpoch, Cancel);
        _objects.SetContent($"keys/{thief.StoreId}/{new string('0', 32)}", []);
        await new MachineDirectory(TestVault.Of(_objects, Header)).ClaimAsync("beta", thief, Cancel);
        Assert.Equal(
            BackupErrorId.MachineNameTaken,
            (await Assert.ThrowsAsync<BackupException>(() => new MachineDirectory(store.Vault).AnnounceAsync(store.Keys, "beta", mayReturn: true, Cancel))).Id);
    }

    [Fact]
    public async Task A_machine_knows_the_owner_again_by_its_own_record_in_the_vault()
    {
        ChunkStore store = await OpenAsync(_objects);
        await new MachineDirectory(store.Vault).AnnounceAsync(store.Keys, "beta", mayReturn: true, Cancel);
        VaultHeader other = Header with { Owner = _thief.Identity.Encode() };
        ChunkStore exchanged = TestVault.StoreOf(_objects, other, Store, store.Keys.MasterKey.ToArray());

        BackupException fault = await Assert.ThrowsAsync<BackupException>(
            () => new MachineDirectory(exchanged.Vault).AnnounceAsync(exchanged.Keys, "beta", mayReturn: true, Cancel));

        Assert.Equal(BackupErrorId.OwnerForeign, fault.Id);
    }

    [Fact]
    public async Task A_vault_that_has_no_owner_takes_no_record_for_an_owners()
    {
        VaultHeader ownerless = Header with { Owner = null };
        _objects.SetContent("settings/00000001", Signed("settings/00000001", Limit));

        Assert.Equal(
            BackupErrorId.VaultDataCorrupt,
            (await Assert.ThrowsAsync<BackupException>(() => new VaultSettingsRegister(TestVault.Of(_objects, ownerless)).ReadAsync(Cancel))).Id);
        Assert.Equal(
            BackupErrorId.OwnerForeign,
            (await Assert.ThrowsAsync<BackupException>(() => VaultRecords.AppendAsync(TestVault.Of(_objects, ownerless), Owner, new VaultRecord { Kind = "x" }, Cancel))).Id);
    }

    [Fact]
    public async Task A_verification_names_every_forged_record_with_a_passphrase_and_without()
    {
        const string Passphrase = "a passphrase for tests";
        var options = new VaultOptions { KeyDerivationIterations = 10 };
        await Vault.CreateAsync(_objects, Passphrase, options, Cancel, new KeptOwner().Keep);
        string[] forged = ["credentials/00000001", $"machines/{new string('a', 32)}/00000001", "records/00000001", "settings/00000001"];
        foreach (string name in forged)
        {
            _objects.SetContent(name, Encoding.UTF8.GetBytes(Limit));
        }

        UnlockedVault engine = await TestVault.UnlockAsync(_objects, Passphrase, options, Cancel);
        foreach (VerifyLevel level in Enum.GetValues<VerifyLevel>())
        {
            Assert.Equal(forged, (await engine.VerifyAsync(level, new JobMonitor(), Cancel)).Findings.Select(finding => finding.Object));
        }
    }

    private async Task<IEnumerable<string?>> FindDamageAsync(ChunkStore? store = null) =>
        (await new RecordVerifier(TestVault.Of(_objects, Header), store?.Keys).FindDamageAsync(Cancel)).Select(damage => damage.Target);

    private byte[] Forge(string forgery, string name, string body)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(body);
        switch (forgery)
        {
            case "plain":
                return bytes;
            case "unsigned":
                return [.. bytes, .. "\n"u8];
            case "another's signature":
                return RecordEnvelope.Sign(_thief, Header.VaultId, name, bytes);
            case "another vault's":
                return RecordEnvelope.Sign(Owner, new string('f', 32), name, bytes);
            case "another number's":
                return RecordEnvelope.Sign(Owner, Header.VaultId, name[..^1] + '9', bytes);
            case "another folder's":
                return RecordEnvelope.Sign(Owner, Header.VaultId, "records/00000002", bytes);
            case "a machine's code":
                return RecordEnvelope.Authenticate(new byte[32], Header.VaultId, name, bytes);
            default:
                byte[] flipped = RecordEnvelope.Sign(Owner, Header.VaultId, name, bytes);
                flipped[bytes.Length / 2] ^= 1;
                return flipped;
        }
    }
}
