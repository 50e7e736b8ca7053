using MSOnlineBackup.Storage.Azure.Identity;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Storage.Azure.Tests.Identity;

/// <summary>What a signature must permit that goes into a credential file.</summary>
public sealed class MachineSignatureTests
{
    private const string Vault = "https://account.blob.core.windows.net/vault";

    [Theory]
    [InlineData("sv=2024-11-04&sr=c&sp=rcl&sig=x")]
    [InlineData("?sv=2024-11-04&sr=c&sp=racwdl&sig=x")]
    [InlineData("sv=2024-11-04&sr=c&sp=r%63l&sig=x")]
    [InlineData("sv=2024-11-04&sr=c&si=policy&sig=x")]
    [InlineData("AccountName=account;AccountKey=AAAA")]
    public void What_suffices_or_cannot_be_told_is_taken(string secret) => Assert.Null(MachineSignature.Check(secret, Vault, TimeProvider.System));

    [Fact]
    public void Who_can_only_recover_is_warned() =>
        Assert.Contains("create (c)", MachineSignature.Check("sv=2024-11-04&sr=c&sp=rl&sig=x", Vault, TimeProvider.System), StringComparison.Ordinal);

    [Theory]
    [InlineData("r", "create (c) and list (l)")]
    [InlineData("rc", "list (l)")]
    [InlineData("cl", "read (r)")]
    [InlineData("", "read (r) and create (c) and list (l)")]
    public void What_no_machine_could_use_is_refused_with_what_is_missing(string permissions, string missing)
    {
        BackupException failure = Assert.Throws<BackupException>(
            () => MachineSignature.Check($"sv=2024-11-04&sr=c&sp={permissions}&sig=x", Vault, TimeProvider.System));

        Assert.Equal(BackupErrorId.StorageSecretInvalid, failure.Id);
        Assert.Contains($"and not {missing},", failure.Message, StringComparison.Ordinal);
        Assert.Contains("sp=rcl", failure.RecommendedAction, StringComparison.Ordinal);
    }
}
