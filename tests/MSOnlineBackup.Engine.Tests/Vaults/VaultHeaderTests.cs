using System.Text;
using System.Text.Json;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Stores;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Vaults.TestStores;

namespace MSOnlineBackup.Engine.Tests.Vaults;

public class VaultHeaderTests
{
    private readonly MemoryVaultStore _objects = new();

    [Fact]
    public async Task A_creation_that_was_interrupted_before_the_header_can_be_done_again()
    {
        var options = new VaultOptions { KeyDerivationIterations = 1000 };
        _objects.SetContent($"keys/{new string('0', 32)}/{new string('1', 32)}", "left behind"u8.ToArray());

        await Vault.CreateAsync(_objects, "correct horse battery", options, Cancel);

        Assert.Single(await (await TestVault.UnlockAsync(_objects, "correct horse battery", options, Cancel)).ListKeysAsync(Cancel));
    }

    [Fact]
    public async Task What_was_created_is_read()
    {
        VaultHeader made = await VaultHeader.PrepareAsync(_objects, new FakeClock(), Cancel);
        await made.WriteAsync(_objects, Cancel);

        VaultHeader read = await VaultHeader.ReadAsync(_objects, Cancel);

        Assert.Equal((made.VaultId, made.Created), (read.VaultId, read.Created));
        Assert.True(IdDigits.AreIn(made.VaultId));
    }

    [Theory]
    [InlineData("vault.json")]
    [InlineData("holiday/photo.jpg")]
    public async Task No_vault_is_made_where_something_is(string found)
    {
        _objects.SetContent(found, [1]);

        BackupException fault = await Assert.ThrowsAsync<BackupException>(() => VaultHeader.PrepareAsync(_objects, new FakeClock(), Cancel));

        Assert.Equal(BackupErrorId.VaultExists, fault.Id);
        Assert.Equal([found], _objects.Names);
    }

    [Theory]
    [InlineData("", BackupErrorId.VaultHeaderDamaged)]
    [InlineData("null", BackupErrorId.VaultHeaderDamaged)]
    [InlineData("{}", BackupErrorId.VaultHeaderDamaged)]
    [InlineData("\u0000\u0001", BackupErrorId.VaultHeaderDamaged)]
    [InlineData("""{"format":1,"vaultId":"0123456789abcdef0123456789abcdef","copy":"0123456789abcdef0123456789abcdef","created":"2024-02-29T12:00:00Z"}""", BackupErrorId.VaultHeaderDamaged)]
    [InlineData("""{"format":2,"vaultId":"x","created":"2024-02-29T12:00:00Z"}""", BackupErrorId.VaultHeaderDamaged)]
    public async Task What_has_no_checksum_is_damaged_whatever_else_it_says(string content, BackupErrorId expected)
    {
        _objects.SetContent(VaultLayout.Header, Encoding.UTF8.GetBytes(content));

        Assert.Equal(expected, (await Assert.ThrowsAsync<BackupException>(() => VaultHeader.ReadAsync(_objects, Cancel))).Id);
    }

    [Theory]
    [InlineData("""[1]""", BackupErrorId.VaultHeaderDamaged)]
    [InlineData("""{"format":0,"vaultId":"0123456789abcdef0123456789abcdef","copy":"0123456789abcdef0123456789abcdef","created":"2024-02-29T12:00:00Z"}""", BackupErrorId.VaultHeaderDamaged)]
    [InlineData("""{"format":1,"vaultId":"../../../../../../../../etc/x/y/z","copy":"0123456789abcdef0123456789abcdef","created":"2024-02-29T12:00:00Z"}""", BackupErrorId.VaultHeaderDamaged)]
    [InlineData("""{"format":1,"vaultId":null,"copy":"0123456789abcdef0123456789abcdef","created":"2024-02-29T12:00:00Z"}""", BackupErrorId.VaultHeaderDamaged)]
    [InlineData("""{"format":1,"vaultId":"0123456789abcdef0123456789abcdef","copy":"0","created":"2024-02-29T12:00:00Z"}""", BackupErrorId.VaultHeaderDamaged)]
    [InlineData("""{"format":1,"vaultId":"0123456789abcdef0123456789abcdef","copy":"0123456789abcdef0123456789abcdef","created":"yesterday"}""", BackupErrorId.VaultHeaderDamaged)]
    [InlineData("""{"format":1,"format":1,"vaultId":"0123456789abcdef0123456789abcdef","copy":"0123456789abcdef0123456789abcdef","created":"2024-02-29T12:00:00Z"}""", BackupErrorId.VaultHeaderDamaged)]
    [InlineData("""{"format":1,"vaultId":"0123456789abcdef0123456789abcdef","copy":"0123456789abcdef0123456789abcdef","created":"2024-02-29T12:00:00Z","x":[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]}""", BackupErrorId.VaultHeaderDamaged)]
    [InlineData("""{"format":2,"vault":"x","features":["zstd"]}""", BackupErrorId.VaultFormatUnsupported)]
    public async Task What_is_no_header_and_what_is_a_newer_one_are_told_apart(string json, BackupErrorId expected)
    {
        _objects.SetContent(VaultLayout.Header, CheckedJson.Complete(Encoding.UTF8.GetBytes(json[..^1])));

        Assert.Equal(expected, (await Assert.ThrowsAsync<BackupException>(() => VaultHeader.ReadAsync(_objects, Cancel))).Id);
    }

    [Theory]
    [InlineData(null, BackupErrorId.VaultHeaderInvalid)]
    [InlineData("holiday/photo.jpg", BackupErrorId.VaultHeaderInvalid)]
    [InlineData("keys/x", BackupErrorId.VaultHeaderDamaged)]
    [InlineData("stores/x", BackupErrorId.VaultHeaderDamaged)]
    public async Task A_lost_header_and_a_place_that_is_no_vault_are_told_apart(string? found, BackupErrorId expected)
    {
        if (found is not null)
        {
            _objects.SetContent(found, [1]);
        }

        Assert.Equal(expected, (await Assert.ThrowsAsync<BackupException>(() => VaultHeader.ReadAsync(_objects, Cancel))).Id);
    }

    [Fact]
    public async Task A_header_that_is_far_too_long_is_not_read()
    {
        _objects.SetContent(VaultLayout.Header, new byte[1 << 20]);

        BackupException fault = await Assert.ThrowsAsync<BackupException>(() => VaultHeader.ReadAsync(_objects, Cancel));

        Assert.Equal(BackupErrorId.VaultHeaderDamaged, fault.Id);
    }

    [Fact]
    public async Task Every_flipped_bit_of_a_header_is_told_as_its_damage_and_as_nothing_else()
    {
        await Vault.CreateAsync(_objects, "correct horse battery", TestOptions.Quick, Cancel);
        byte[] sound = _objects.GetContent(VaultLayout.Header);
        for (int bit = 0; bit < sound.Length * 8; bit++)
        {
            _objects.FlipBit(VaultLayout.Header, bit / 8, bit % 8);

            BackupException fault =
                await Assert.ThrowsAsync<BackupException>(() => TestVault.UnlockAsync(_objects, "correct horse battery", TestOptions.Quick, Cancel));
            Assert.Equal((BackupErrorId.VaultHeaderDamaged, _objects.Location), (fault.Id, fault.Target));
            Assert.Contains("vault.json", fault.Message, StringComparison.Ordinal);
            _objects.FlipBit(VaultLayout.Header, bit / 8, bit % 8);
        }
    }

    [Fact]
    public async Task Owner_copy_and_what_a_newer_version_says_are_carried_on()
    {
        VaultHeader made = (await VaultHeader.PrepareAsync(_objects, new FakeClock(), Cancel, "Office")) with { Owner = TestStores.Owner.Identity.Encode(), Others = new() { ["later"] = JsonSerializer.SerializeToElement(7) } };
        await made.WriteAsync(_objects, Cancel);

        VaultHeader read = await VaultHeader.ReadAsync(_objects, Cancel);

        Assert.Equal(("Office", made.Copy), (read.Name, read.Copy));
        Assert.Equal(TestStores.Owner.Identity, read.OwnerIdentity);
        Assert.Equal(7, read.Others!["later"].GetInt32());
        Assert.Equal(_objects.GetContent(VaultLayout.Header), CheckedJson.Encode(read, HeaderJson.Default.VaultHeader));
    }

    [Fact]
    public async Task The_record_of_a_session_says_of_which_vault_and_store_it_is()
    {
        await using WriteSession session = await BeginAsync(await OpenAsync(_objects));

        byte[] stored = _objects.GetContent(VaultLayout.Session(Store, session.Id));

        SessionRecord record = CheckedJson.TryDecode(stored, SessionJson.Default.SessionRecord)!;
        Assert.Equal((Header.VaultId, Store, session.Id), (record.VaultId, record.StoreId, record.SessionId));
    }

    [Fact]
    public void Machines_are_told_apart_without_regard_to_case_and_differ_from_vault_to_vault()
    {
        VaultHeader other = Header with { VaultId = new string('0', 32) };

        Assert.Equal(Header.MachineId("SERVER"), Header.MachineId("server"));
        Assert.NotEqual(Header.MachineId("server"), Header.MachineId("server2"));
        Assert.NotEqual(Header.MachineId("server"), other.MachineId("server"));
        Assert.True(IdDigits.AreIn(Header.MachineId("söme näme/..").ToString()));
    }
}
