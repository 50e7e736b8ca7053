using System.Text;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Repair;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;
using Xunit;
using OwnerFile = MSOnlineBackup.Vaults.Registers.OwnerFile;
using static MSOnlineBackup.Engine.Tests.Vaults.TestStores;

namespace MSOnlineBackup.Engine.Tests.Repair;

/// <summary>A lost or damaged <c>vault.json</c> is made anew from what else the vault holds.</summary>
public sealed class HeaderRepairTests : IDisposable
{
    private const string Passphrase = "correct horse battery";

    private readonly MemoryVaultStore _objects = new();
    private readonly KeptOwner _owner = new();
    private readonly FakeClock _clock = new();
    private readonly TempFolder _folder = new();
    private int _files;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_lost_header_comes_back_from_key_slots_and_sessions_and_the_vault_opens()
    {
        VaultHeader before = await MakeAsync();
        _objects.Remove(VaultLayout.Header);
        Assert.Equal(BackupErrorId.VaultHeaderDamaged, await OpenFaultAsync());

        HeaderRepairReport report = await RepairAsync();

        Assert.Equal(new HeaderRepairReport(before.VaultId, IsExact: false, KeySlots: 1, Sessions: 2, Machines: 1) { Owner = before.OwnerIdentity!.Fingerprint }, report);
        VaultHeader made = await VaultHeader.ReadAsync(_objects, Cancel);
        Assert.Equal((before.VaultId, null), (made.VaultId, made.Name));
        Assert.Equal(before.OwnerIdentity!, made.OwnerIdentity);
        Assert.NotEqual(before.Copy, made.Copy);
        Assert.Equal(before.Created, made.Created);
        Assert.Empty(await VerifyAsync());
        await TestVault.UnlockAsync(_objects, Passphrase, Options, Cancel);
    }

    [Fact]
    public async Task A_lost_header_does_not_come_back_where_its_machines_know_different_owners()
    {
        VaultHeader before = await MakeAsync();
        _objects.Remove(VaultLayout.Header);
        await new MachineDirectory(TestVault.Of(_objects, before with { Owner = Owner.Identity.Encode() })).ClaimAsync("thief", KeyOf('b'), Cancel);

        BackupException fault = await FaultAsync();

        Assert.Equal(BackupErrorId.VaultHeaderNotRepaired, fault.Id);
        Assert.Contains("owners", fault.Message, StringComparison.Ordinal);
        Assert.Contains("--owner-file", fault.RecommendedAction, StringComparison.Ordinal);
        Assert.DoesNotContain(VaultLayout.Header, _objects.Names);
        Assert.Equal(before.OwnerIdentity!.Fingerprint, (await RepairAsync(WriteOwnerFile(before.VaultId))).Owner);
        Assert.Equal(before.Owner, (await VaultHeader.ReadAsync(_objects, Cancel)).Owner);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_record_whose_owner_is_damaged_says_nothing_of_the_owner(bool isTheOnlyOne)
    {
        VaultHeader before = await MakeAsync();
        var machines = new MachineDirectory(TestVault.Of(_objects, before));
        await machines.ClaimAsync("damaged", KeyOf('b'), Cancel);
        if (!isTheOnlyOne)
        {
            await machines.ClaimAsync("sound", KeyOf('c'), Cancel);
        }

        foreach (string name in _objects.Names.Where(name => name.StartsWith("machines/", StringComparison.Ordinal)))
        {
            byte[] content = _objects.GetContent(name);
            if (content.AsSpan().IndexOf("\"sound\""u8) < 0)
            {
                // A bit of the point on the curve.
                int at = content.AsSpan().IndexOf("MFkwEwYHKoZIzj0"u8) + 60;
                _objects.FlipBit(name, at + content.AsSpan(at).IndexOfAnyInRange((byte)'a', (byte)'y'), 0);
            }
        }

        _objects.Remove(VaultLayout.Header);
        if (isTheOnlyOne)
        {
            BackupException fault = await FaultAsync();
            Assert.Equal(BackupErrorId.VaultHeaderNotRepaired, fault.Id);
            Assert.Contains("damaged", fault.Message, StringComparison.Ordinal);
            Assert.Equal(before.OwnerIdentity!.Fingerprint, (await RepairAsync(WriteOwnerFile(before.VaultId))).Owner);
        }
        else
        {
            Assert.Equal(before.OwnerIdentity!.Fingerprint, (await RepairAsync()).Owner);
        }
    }

    [Fact]
    public async Task Where_no_machine_knows_the_owner_the_owners_file_says_who_it_is()
    {
        VaultHeader before = await MakeAsync();
        foreach (string machine in _objects.Names.Where(name => name.StartsWith("machines/", StringComparison.Ordinal)).Append(VaultLayout.Header))
        {
            _objects.Remove(machine);
        }

        Assert.Null((await RepairAsync()).Owner);
        _objects.Remove(VaultLayout.Header);

        Assert.Equal(before.OwnerIdentity!.Fingerprint, (await RepairAsync(WriteOwnerFile(before.VaultId))).Owner);
        Assert.Equal(before.Owner, (await VaultHeader.ReadAsync(_objects, Cancel)).Owner);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_owners_file_of_another_owner_is_refused(bool oneByte)
    {
        VaultHeader before = await MakeAsync();
        if (oneByte)
        {
            _objects.FlipBit(VaultLayout.Header, 40);
        }
        else
        {
            _objects.SetContent(VaultLayout.Header, new byte[300]);
        }

        byte[] damaged = _objects.GetContent(VaultLayout.Header);

        foreach (string file in (string[])[WriteOwnerFile(new string('7', 32)), WriteOwnerFile(before.VaultId, Owner)])
        {
            Assert.Equal(BackupErrorId.OwnerForeign, (await FaultAsync(file)).Id);
        }

        Assert.Equal(BackupErrorId.OwnerFileInvalid, (await FaultAsync(_folder["none"])).Id);
        Assert.Equal(damaged, _objects.GetContent(VaultLayout.Header));
        Assert.Equal(oneByte, (await RepairAsync(WriteOwnerFile(before.VaultId))).IsExact);
    }

    [Fact]
    public async Task Whichever_byte_of_the_header_changed_it_comes_back_as_it_was()
    {
        await MakeAsync();
        byte[] sound = _objects.GetContent(VaultLayout.Header);
        for (int at = 0; at < sound.Length; at++)
        {
            _objects.SetContent(VaultLayout.Header, [.. sound[..at], (byte)(sound[at] ^ 1), .. sound[(at + 1)..]]);

            Assert.True((await RepairAsync()).IsExact);
            Assert.Equal(sound, _objects.GetContent(VaultLayout.Header));
        }
    }

    [Fact]
    public async Task A_digit_that_became_another_letter_comes_back()
    {
        await MakeAsync();
        byte[] sound = _objects.GetContent(VaultLayout.Header);
        int digit = sound.AsSpan().IndexOf("\"vaultId\":\""u8) + 13;
        _objects.SetContent(VaultLayout.Header, [.. sound[..digit], sound[digit] == (byte)'x' ? (byte)'y' : (byte)'x', .. sound[(digit + 1)..]]);

        Assert.True((await RepairAsync()).IsExact);

        Assert.Equal(sound, _objects.GetContent(VaultLayout.Header));
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public async Task What_an_editor_appended_is_taken_away(string appended)
    {
        await MakeAsync();
        byte[] sound = _objects.GetContent(VaultLayout.Header);
        _objects.SetContent(VaultLayout.Header, [.. sound, .. Encoding.ASCII.GetBytes(appended)]);
        Assert.Equal(BackupErrorId.VaultHeaderDamaged, await OpenFaultAsync());

        Assert.True((await RepairAsync()).IsExact);

        Assert.Equal(sound, _objects.GetContent(VaultLayout.Header));
    }

    [Fact]
    public async Task Damage_of_many_bytes_loses_no_more_than_what_nothing_else_says()
    {
        VaultHeader before = await MakeAsync();
        _objects.SetContent(VaultLayout.Header, new byte[300]);

        HeaderRepairReport report = await RepairAsync();

        Assert.Equal((before.VaultId, false), (report.VaultId, report.IsExact));
        Assert.Empty(await VerifyAsync());
    }

    [Fact]
    public async Task Sessions_alone_say_which_vault_it_is_where_the_key_slots_are_lost()
    {
        VaultHeader before = await MakeAsync();
        byte[] sound = _objects.GetContent(VaultLayout.Header);
        foreach (string name in _objects.Names.Where(name => name.StartsWith("keys/", StringComparison.Ordinal) || name == VaultLayout.Header))
        {
            _objects.Remove(name);
        }

        Assert.Equal(
            new HeaderRepairReport(before.VaultId, IsExact: false, KeySlots: 0, Sessions: 2, Machines: 1) { Owner = before.OwnerIdentity!.Fingerprint }, await RepairAsync());
        Assert.NotEqual(sound, _objects.GetContent(VaultLayout.Header));
    }

    [Fact]
    public async Task Damaged_slots_and_sessions_say_nothing()
    {
        await MakeAsync();
        _objects.Remove(VaultLayout.Header);
        foreach (string name in _objects.Names.Where(name => name.StartsWith("keys/", StringComparison.Ordinal) || name.Contains("/sessions/", StringComparison.Ordinal)))
        {
            _objects.FlipBit(name, 20);
        }

        BackupException fault = await FaultAsync();

        Assert.Equal(BackupErrorId.VaultHeaderNotRepaired, fault.Id);
        Assert.DoesNotContain(VaultLayout.Header, _objects.Names);
    }

    [Fact]
    public async Task A_sound_header_is_left_alone()
    {
        await MakeAsync();
        byte[] sound = _objects.GetContent(VaultLayout.Header);

        Assert.Contains("it is sound", (await FaultAsync()).Message, StringComparison.Ordinal);
        Assert.Equal(sound, _objects.GetContent(VaultLayout.Header));
    }

    [Fact]
    public async Task Objects_of_two_vaults_are_named_and_none_is_chosen()
    {
        VaultHeader one = await MakeAsync();
        var elsewhere = new MemoryVaultStore();
        VaultHeader other = await MakeAsync(elsewhere);
        CopyFrom(elsewhere, name => name != VaultLayout.Header);
        _objects.Remove(VaultLayout.Header);

        BackupException fault = await FaultAsync();

        Assert.Equal(BackupErrorId.VaultHeaderNotRepaired, fault.Id);
        Assert.Contains(one.VaultId, fault.Message, StringComparison.Ordinal);
        Assert.Contains(other.VaultId, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(VaultLayout.Header, _objects.Names);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_header_of_another_vault_is_told_from_damage(bool flipped)
    {
        VaultHeader one = await MakeAsync();
        var elsewhere = new MemoryVaultStore();
        VaultHeader other = await MakeAsync(elsewhere);
        CopyFrom(elsewhere, name => name == VaultLayout.Header);
        if (flipped)
        {
            _objects.FlipBit(VaultLayout.Header, 30);
        }

        BackupException fault = await FaultAsync();

        Assert.Equal(BackupErrorId.VaultHeaderNotRepaired, fault.Id);
        Assert.Contains(one.VaultId, fault.Message, StringComparison.Ordinal);
        Assert.Contains(other.VaultId, fault.Message, StringComparison.Ordinal);
        if (!flipped)
        {
            Assert.Equal(BackupErrorId.KeySlotDamaged, await OpenFaultAsync());
        }
    }

    [Fact]
    public async Task Slots_that_an_interrupted_creation_left_are_no_other_vault()
    {
        VaultHeader header = await MakeAsync();
        UnlockedKey left = await new KeyRing(new KnownVault(_objects, Header, Options)).CreateStoreAsync(Passphrase, Cancel);
        Assert.Equal(2, _objects.Names.Count(name => name.Contains($"{left.StoreId}", StringComparison.Ordinal)));
        _objects.Remove(VaultLayout.Header);

        Assert.Equal(header.VaultId, (await RepairAsync()).VaultId);
    }

    [Fact]
    public async Task Where_no_vault_is_none_is_made()
    {
        _objects.SetContent("holiday/photo.jpg", [1]);

        Assert.Equal(BackupErrorId.VaultHeaderInvalid, (await FaultAsync()).Id);
        Assert.Equal(["holiday/photo.jpg"], _objects.Names);
    }

    [Fact]
    public async Task A_verification_of_what_needs_no_key_names_a_damaged_header_and_every_damaged_slot_and_goes_on()
    {
        await MakeAsync();
        string slot = _objects.Names.Single(name => VaultLayout.KindOf(name, out _) == StoredKind.KeySlot);
        string pack = _objects.Names.First(name => name.Contains("/packs/", StringComparison.Ordinal));
        _objects.FlipBit(VaultLayout.Header, 40);
        _objects.FlipBit(slot, 40);
        _objects.FlipBit(pack, 60);

        Assert.Equal([slot, pack, VaultLayout.Header], await VerifyAsync());
    }

    [Theory]
    [InlineData(VerifyLevel.Packs)]
    [InlineData(VerifyLevel.Structure)]
    public async Task A_verification_names_every_damaged_slot_and_record_of_a_session(VerifyLevel level)
    {
        VaultHeader header = await MakeAsync();
        UnlockedKey key = await new KeyRing(new KnownVault(_objects, header, Options)).UnlockAsync(Passphrase, Cancel);
        foreach (string session in _objects.Names.Where(name => name.Contains("/sessions/", StringComparison.Ordinal)).Select(name => name.Split('/')[^1]))
        {
            // As after a commit: whose session ended without, damage to its record is what a crash leaves.
            string point = VaultLayout.Point(key.StoreId, header.MachineId("server"), SessionId.Parse(session));
            StoreKeys keys = TestVault.StoreOf(_objects, header, key.StoreId, key.MasterKey).Keys;
            byte[] content = RecoveryPointCodec.Encode(new RecoveryPoint
            {
                SessionId = SessionId.Parse(session),
                MachineId = header.MachineId("server"),
                MachineName = "server",
                OperatingSystem = "o",
                AgentVersion = "0",
                Started = _clock.GetUtcNow(),
                Ended = _clock.GetUtcNow(),
                Status = RecoveryPointStatus.Completed,
                Sources = [],
            });
            await _objects.TryCreateAsync(point, SealedObject.Seal(keys, SealedObjectKind.RecoveryPoint, point, content), Cancel);
        }

        UnlockedVault engine = await TestVault.UnlockAsync(_objects, Passphrase, Options, Cancel);
        Assert.Empty((await engine.VerifyAsync(level, new JobMonitor(), Cancel)).Findings);
        string[] names = [.. _objects.Names.Where(name => name.StartsWith("keys/", StringComparison.Ordinal) || name.Contains("/sessions/", StringComparison.Ordinal))];
        Assert.Equal(6, names.Length);
        foreach (string name in names)
        {
            _objects.FlipBit(name, _objects.GetContent(name).Length / 2);
        }

        Assert.Equal(names.Order(StringComparer.Ordinal), (await engine.VerifyAsync(level, new JobMonitor(), Cancel)).Findings.Select(finding => finding.Object));
    }

    private async Task<VaultHeader> MakeAsync(MemoryVaultStore objects, KeptOwner owner)
    {
        await Vault.CreateAsync(objects, Passphrase, Options, Cancel, owner.Keep);
        _clock.Advance(TimeSpan.FromDays(1));
        VaultHeader header = await VaultHeader.ReadAsync(objects, Cancel);
        UnlockedKey key = await new KeyRing(new KnownVault(objects, header, Options)).UnlockAsync(Passphrase, Cancel);
        ChunkStore store = await TestVault.OpenStoreAsync(objects, header, key.StoreId, key.MasterKey, Cancel);
        await StoreAsync(store, MSOnlineBackup.Vaults.Chunks.ChunkKind.Content, [1, 2, 3]);
        await StoreAsync(store, MSOnlineBackup.Vaults.Chunks.ChunkKind.Content, [4, 5, 6]);
        await new MachineDirectory(TestVault.Of(objects, header)).ClaimAsync("server", key, Cancel);
        return header;
    }

    private Task<VaultHeader> MakeAsync(MemoryVaultStore? objects = null) => objects is null ? MakeAsync(_objects, _owner) : MakeAsync(objects, new KeptOwner());

    private VaultOptions Options => TestOptions.Quick with { TimeProvider = _clock };

    // The vault's own where no other key is given.
    private string WriteOwnerFile(string vaultId, OwnerKey? owner = null)
    {
        string file = _folder[$"owner{++_files}"];
        OwnerFile.Write(file, new NewOwner(owner ?? _owner.Key, vaultId, null, "memory", _clock.GetUtcNow()), Passphrase, Options);
        return file;
    }

    private Task<HeaderRepairReport> RepairAsync(string? ownerFile = null) => Vault.RepairHeaderAsync(_objects, _clock, Cancel, ownerFile);

    private Task<BackupException> FaultAsync(string? ownerFile = null) => Assert.ThrowsAsync<BackupException>(() => RepairAsync(ownerFile));

    private async Task<BackupErrorId> OpenFaultAsync() =>
        (await Assert.ThrowsAsync<BackupException>(() => TestVault.UnlockAsync(_objects, Passphrase, Options, Cancel))).Id;

    private async Task<IEnumerable<string>> VerifyAsync() =>
        (await Vault.VerifyPacksAsync(_objects, new JobMonitor(), Cancel)).Findings.Select(finding => finding.Object);

    private void CopyFrom(MemoryVaultStore other, Func<string, bool> choose)
    {
        foreach (string name in other.Names.Where(choose))
        {
            _objects.SetContent(name, other.GetContent(name));
        }
    }
}
