using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Machine;

/// <summary>The vaults that a machine's configuration gives to the holders of certificates.</summary>
public sealed class RecoveryServiceTests : IDisposable
{
    private const string Thumbprint = "0123456789abcdef0123456789abcdef01234567";

    private readonly AgentFixture _machines = new();

    public void Dispose() => _machines.Dispose();

    [Fact]
    public void Without_a_list_there_are_none() => Assert.Empty(_machines.Open().Machine.ListServices());

    [Theory]
    [InlineData("0123456789ABCDEF0123456789ABCDEF01234567", true)]
    [InlineData("01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67", true)]
    [InlineData("0123456789abcdef0123456789abcdef01234568", false)]
    [InlineData("", false)]
    public void A_thumbprint_is_known_however_it_is_written(string listed, bool isFor) =>
        Assert.Equal(isFor, new RecoveryService(listed, "file").IsFor(Thumbprint));

    [Fact]
    public void A_credential_file_is_looked_for_in_the_state_folder()
    {
        List($$"""[ { "certificate": "{{Thumbprint}}", "vaultCredentials": "office.VaultCredentials" }, ]""");

        RecoveryService service = Assert.Single(_machines.Open().Machine.ListServices());

        Assert.Equal(Path.Combine(_machines.State, "office.VaultCredentials"), service.VaultCredentials);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[ null ]")]
    [InlineData("[ { \"certificate\": \"x\" } ]")]
    [InlineData("[ { \"certificate\": null, \"vaultCredentials\": \"x\" } ]")]
    public void A_list_that_is_none_is_refused_by_its_name(string content)
    {
        List(content);

        BackupException failure = Assert.Throws<BackupException>(() => _machines.Open().Machine.ListServices());

        Assert.Equal(BackupErrorId.StateInvalid, failure.Id);
        Assert.Contains("recoveryservices.json", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_credential_says_which_vault_it_is_for()
    {
        string file = await _machines.IssueAsync();

        VaultCredentialInfo credential = await _machines.Open().Machine.InspectCredentialAsync(file, AgentFixture.Cancel);

        Assert.Equal(("Office", _machines.Vault), (credential.VaultName, credential.Vault.Location));
        Assert.True(credential.Expires > _machines.Clock.GetUtcNow());
    }

    private void List(string content)
    {
        Directory.CreateDirectory(_machines.State);
        File.WriteAllText(Path.Combine(_machines.State, "recoveryservices.json"), content);
    }
}
