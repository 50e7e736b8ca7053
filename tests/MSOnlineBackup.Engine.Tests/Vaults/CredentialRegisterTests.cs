using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Registers;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Vaults.TestStores;

namespace MSOnlineBackup.Engine.Tests.Vaults;

public class CredentialRegisterTests
{
    private readonly MemoryVaultStore _objects = new();
    private readonly FakeClock _clock = new();

    private CredentialRegister Register => new CredentialRegister(TestVault.Of(_objects, Header, _clock));

    [Fact]
    public async Task What_was_issued_is_written_read_and_accepted()
    {
        VaultCredential issued = await IssueAsync();

        VaultCredential read = VaultCredentialFile.Decode(VaultCredentialFile.Encode(issued), "file");

        await Register.CheckAsync(read, "file", Cancel);
        Assert.Equal(issued with { Token = [] }, read with { Token = [] });
        Assert.Equal(["credentials/00000001", "credentials/00000001.copy"], _objects.Names);
    }

    [Fact]
    public async Task Many_who_issue_at_once_get_numbers_of_their_own()
    {
        VaultCredential[] issued = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => IssueAsync()));

        Assert.Equal(Enumerable.Range(1, 10), issued.Select(credential => (int)credential.Serial).Order());
    }

    [Fact]
    public async Task A_forged_file_of_the_right_number_is_refused()
    {
        VaultCredential issued = await IssueAsync();
        VaultCredential forged = issued with { Token = new byte[32], Expires = issued.Expires.AddYears(1) };

        Assert.Contains("did not issue", (await RefusedAsync(forged)).Message, StringComparison.Ordinal);
        Assert.Contains("knows nothing", (await RefusedAsync(issued with { Serial = 2 })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_file_says_of_its_time_does_not_count()
    {
        VaultCredential issued = await IssueAsync();
        _clock.Advance(TimeSpan.FromHours(48) + TimeSpan.FromMinutes(1));

        Assert.Contains("expired", (await RefusedAsync(issued with { Expires = issued.Expires.AddYears(1) })).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Office", "Office")]
    [InlineData("../../etc/passwd", "-..-etc-passwd")]
    [InlineData("a\\b:c*d", "a-b-c-d")]
    public async Task A_vaults_name_leads_to_no_other_folder(string name, string expected)
    {
        VaultCredential issued = await Register.IssueAsync(Owner, "/vault", name, TimeSpan.FromHours(1), Cancel);

        Assert.Equal($"{expected}_2024-02-29T120000Z.VaultCredentials", VaultCredentialFile.NameOf(issued));
    }

    [Fact]
    public async Task Other_objects_among_the_records_are_passed_over()
    {
        _objects.SetContent("credentials/x", []);
        _objects.SetContent("credentials/ffffffff", []);

        Assert.Equal(1u, (await IssueAsync()).Serial);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"token":null,"issued":"2024-02-29T12:00:00Z","expires":"2034-02-29T12:00:00Z"}""")]
    [InlineData("""{"token":"AAAA","issued":"2024-02-29T12:00:00Z","expires":"2034-02-28T12:00:00Z"}""")]
    public async Task A_record_that_is_none_lets_nobody_in(string record)
    {
        VaultCredential issued = await IssueAsync();
        _objects.SetContent("credentials/00000001", Signed("credentials/00000001", record));
        _objects.Remove("credentials/00000001.copy");

        await RefusedAsync(issued);
    }

    private Task<VaultCredential> IssueAsync() => Register.IssueAsync(Owner, "/vault", "Office", CredentialRegister.DefaultValidity, Cancel);

    private async Task<BackupException> RefusedAsync(VaultCredential credential)
    {
        BackupException fault = await Assert.ThrowsAsync<BackupException>(() => Register.CheckAsync(credential, "file", Cancel));
        Assert.Equal((BackupErrorId.VaultCredentialInvalid, "34513"), (fault.Id, fault.ErrorCode));
        return fault;
    }
}
