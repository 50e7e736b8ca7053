using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Verification;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Vaults.TestStores;

namespace MSOnlineBackup.Engine.Tests.Vaults;

/// <summary>What the owner of a vault has signed lies in it twice.</summary>
public class RecordCopyTests
{
    private const string First = "settings/00000001";
    private const string Second = "settings/00000002";

    private readonly MemoryVaultStore _objects = new();

    public static TheoryData<string> Damages => ["lost", "empty", "cut", "flipped"];

    private VaultSettingsRegister Register => new(TestVault.Of(_objects, Header));

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task Settings_hold_by_either_of_the_two_and_what_is_damaged_is_named(string damage)
    {
        await SetAsync(7);
        await SetAsync(8);
        MemoryVaultStore sound = _objects.Clone();
        foreach (string name in sound.Names)
        {
            Strike(name, damage);

            Assert.Equal(8, (await Register.ReadAsync(Cancel)).MachineLimit);
            string[] expected = damage == "lost" && name != VaultLayout.FirstOf(name) ? [] : [name];
            Assert.Equal(expected, await FindDamageAsync());
            _objects.SetContent(name, sound.GetContent(name));
        }
    }

    [Fact]
    public async Task An_older_record_does_not_come_back_as_the_copy_of_a_newer_one()
    {
        await SetAsync(7);
        await SetAsync(8);
        _objects.Remove(Second);
        _objects.SetContent(VaultLayout.CopyBeside(Second), _objects.GetContent(First));

        BackupException fault = await Assert.ThrowsAsync<BackupException>(() => Register.ReadAsync(Cancel));

        Assert.Equal((BackupErrorId.VaultDataCorrupt, Second), (fault.Id, fault.Target));
    }

    [Fact]
    public async Task The_number_of_a_record_of_which_only_the_copy_is_left_is_not_used_again()
    {
        await SetAsync(7);
        _objects.Remove(First);

        await SetAsync(8);

        Assert.Equal([VaultLayout.CopyBeside(First), Second, VaultLayout.CopyBeside(Second)], _objects.Names);
        Assert.Equal(8, (await Register.ReadAsync(Cancel)).MachineLimit);
    }

    [Fact]
    public async Task A_vault_without_copies_lacks_nothing()
    {
        await SetAsync(7);
        _objects.Remove(VaultLayout.CopyBeside(First));

        Assert.Equal(7, (await Register.ReadAsync(Cancel)).MachineLimit);
        Assert.Empty(await FindDamageAsync());
    }

    [Fact]
    public async Task Whoever_is_stopped_at_any_call_of_a_change_leaves_the_old_settings_or_the_new()
    {
        await SetAsync(7);
        var recording = new RecordingVaultStore(_objects);
        await new VaultSettingsRegister(TestVault.Of(recording, Header)).ChangeAsync(Owner, known => known with { MachineLimit = 8 }, Cancel);

        for (int count = 0; count <= recording.Operations.Count; count++)
        {
            MemoryVaultStore state = recording.Materialise(count);
            Assert.Equal(count == 0 ? 7 : 8, (await new VaultSettingsRegister(TestVault.Of(state, Header)).ReadAsync(Cancel)).MachineLimit);
            Assert.Empty(await new RecordVerifier(TestVault.Of(state, Header)).FindDamageAsync(Cancel));
        }
    }

    [Fact]
    public async Task Credentials_and_records_of_the_owner_have_copies_as_well()
    {
        KnownVault known = TestVault.Of(_objects, Header);
        await new CredentialRegister(known).IssueAsync(Owner, "here", "name", CredentialRegister.DefaultValidity, Cancel);
        await VaultRecords.AppendAsync(known, Owner, new VaultRecord { Kind = VaultRecord.Feature, Name = "example", NeededTo = ["write"] }, Cancel);
        Assert.Equal(["credentials/00000001", "credentials/00000001.copy", "records/00000001", "records/00000001.copy"], _objects.Names);
        _objects.Remove("records/00000001");

        // What the owner demanded does not get lost with one of the two.
        VaultRecords records = await VaultRecords.ReadAllAsync(known, Cancel);

        Assert.Equal("example", Assert.Single(records.Unknown).Name);
        Assert.Throws<BackupException>(() => records.Allow(VaultUse.Write));
    }

    private Task<VaultSettings> SetAsync(int limit) => Register.ChangeAsync(Owner, known => known with { MachineLimit = limit }, Cancel);

    private async Task<IEnumerable<string?>> FindDamageAsync() =>
        (await new RecordVerifier(TestVault.Of(_objects, Header)).FindDamageAsync(Cancel)).Select(damage => damage.Target);

    private void Strike(string name, string damage)
    {
        switch (damage)
        {
            case "lost":
                _objects.Remove(name);
                break;
            case "flipped":
                _objects.FlipBit(name, _objects.GetContent(name).Length / 2);
                break;
            default:
                _objects.Damage(name, content => damage == "empty" ? [] : content[..^1]);
                break;
        }
    }
}
