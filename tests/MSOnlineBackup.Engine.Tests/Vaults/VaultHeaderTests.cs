using System.Text;
using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Vaults;
using MSOnlineBackup.Testing;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Vaults.TestStores;

namespace MSOnlineBackup.Engine.Tests.Vaults;

public class VaultHeaderTests
{
    private readonly MemoryVaultStore _objects = new();

    [Fact]
    public async Task A_creation_that_was_interrupted_before_the_header_can_be_done_again()
    {
        var options = new EngineOptions { KeyDerivationIterations = 1000 };
        _objects.SetContent($"keys/{new string('0', 32)}/{new string('1', 32)}", "left behind"u8.ToArray());

        await ClosedVault.CreateAsync(_objects, "correct horse battery", options, Cancel);

        Assert.Single(await (await BackupEngine.OpenAsync(_objects, "correct horse battery", options, Cancel)).ListKeysAsync(Cancel));
    }

    [Fact]
    public async Task What_was_created_is_read()
    {
        VaultHeader made = await VaultHeader.PrepareAsync(_objects, new FakeClock(), Cancel);
        await made.WriteAsync(_objects, Cancel);

        VaultHeader read = await VaultHeader.ReadAsync(_objects, Cancel);

        Assert.Equal((made.VaultId, made.Created), (read.VaultId, read.Created));
        Assert.True(VaultLayout.IsId(made.VaultId));
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
    [InlineData(null, BackupErrorId.VaultHeaderInvalid)]
    [InlineData("", BackupErrorId.VaultHeaderInvalid)]
    [InlineData("null", BackupErrorId.VaultHeaderInvalid)]
    [InlineData("{}", BackupErrorId.VaultHeaderInvalid)]
    [InlineData("[1]", BackupErrorId.VaultHeaderInvalid)]
    [InlineData("\u0000\u0001", BackupErrorId.VaultHeaderInvalid)]
    [InlineData("""{"format":0,"features":[],"vaultId":"0123456789abcdef0123456789abcdef","created":"2024-02-29T12:00:00Z"}""", BackupErrorId.VaultHeaderInvalid)]
    [InlineData("""{"format":1,"features":[],"vaultId":"../../../../../../../../etc/x/y/z","created":"2024-02-29T12:00:00Z"}""", BackupErrorId.VaultHeaderInvalid)]
    [InlineData("""{"format":1,"features":[],"vaultId":null,"created":"2024-02-29T12:00:00Z"}""", BackupErrorId.VaultHeaderInvalid)]
    [InlineData("""{"format":1,"features":[],"vaultId":"0123456789abcdef0123456789abcdef","created":"yesterday"}""", BackupErrorId.VaultHeaderInvalid)]
    [InlineData("""{"format":2,"features":[],"vaultId":"x","created":"2024-02-29T12:00:00Z"}""", BackupErrorId.VaultFormatUnsupported)]
    [InlineData("""{"format":1,"features":["zstd"],"vaultId":"0123456789abcdef0123456789abcdef","created":"2024-02-29T12:00:00Z"}""", BackupErrorId.VaultFormatUnsupported)]
    public async Task What_is_no_header_and_what_is_a_newer_one_are_told_apart(string? content, BackupErrorId expected)
    {
        if (content is not null)
        {
            _objects.SetContent(VaultLayout.Header, Encoding.UTF8.GetBytes(content));
        }

        BackupException fault = await Assert.ThrowsAsync<BackupException>(() => VaultHeader.ReadAsync(_objects, Cancel));

        Assert.Equal(expected, fault.Id);
    }

    [Fact]
    public async Task A_header_that_is_far_too_long_is_not_read()
    {
        _objects.SetContent(VaultLayout.Header, new byte[1 << 20]);

        BackupException fault = await Assert.ThrowsAsync<BackupException>(() => VaultHeader.ReadAsync(_objects, Cancel));

        Assert.Equal(BackupErrorId.VaultHeaderInvalid, fault.Id);
    }

    [Fact]
    public async Task Every_flipped_bit_is_told_or_gives_a_legal_header()
    {
        await (await VaultHeader.PrepareAsync(_objects, new FakeClock(), Cancel)).WriteAsync(_objects, Cancel);
        int length = _objects.GetContent(VaultLayout.Header).Length;
        for (int bit = 0; bit < length * 8; bit++)
        {
            _objects.FlipBit(VaultLayout.Header, bit / 8, bit % 8);
            try
            {
                VaultHeader header = await VaultHeader.ReadAsync(_objects, Cancel);
                Assert.True(VaultLayout.IsId(header.VaultId));
            }
            catch (BackupException e)
            {
                Assert.True(e.Id is BackupErrorId.VaultHeaderInvalid or BackupErrorId.VaultFormatUnsupported);
            }

            _objects.FlipBit(VaultLayout.Header, bit / 8, bit % 8);
        }
    }

    [Fact]
    public void Machines_are_told_apart_without_regard_to_case_and_differ_from_vault_to_vault()
    {
        VaultHeader other = Header with { VaultId = new string('0', 32) };

        Assert.Equal(Header.MachineId("SERVER"), Header.MachineId("server"));
        Assert.NotEqual(Header.MachineId("server"), Header.MachineId("server2"));
        Assert.NotEqual(Header.MachineId("server"), other.MachineId("server"));
        Assert.True(VaultLayout.IsId(Header.MachineId("söme näme/..")));
    }
}
