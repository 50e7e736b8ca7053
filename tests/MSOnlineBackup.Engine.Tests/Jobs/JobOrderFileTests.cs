using System.Text;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Jobs;

/// <summary>Orders as other processes get them.</summary>
public sealed class JobOrderFileTests
{
    private const string Vault = "https://acct.blob.core.windows.net/office";
    private const string Signature = "sv=2024-11-04&sp=racl&sig=c2VjcmV0";
    private const string Passphrase = "a passphrase for tests";

    private static readonly JobMachine _starter = new(null!, null!, null!, null!, null!, PolicyLimits.Mars, "ALPHA", TimeProvider.System) { Copies = null!, OpenMachine = null!, Freezer = null! };

    [Fact]
    public void An_order_on_disk_has_no_secret_in_it()
    {
        var order = new RecoveryOrder
        {
            Vault = new VaultAddress(Vault) { Secret = Signature, RequiresPrivateEndpoint = true },
            MachineName = "ALPHA",
            PointId = "point",
            Paths = [],
            Passphrase = Passphrase,
        };

        byte[] written = JobOrderFile.Of(order, _starter).Encode();
        JobOrderFile read = JobOrderFile.Decode(written, "order.json");

        Assert.Equal(["passphrase", "vaultSecret"], read.Secrets);
        Assert.Equal(("Mars", "ALPHA"), (read.Limits, read.MachineName));
        Assert.Equal(new VaultAddress(Vault) { RequiresPrivateEndpoint = true }, ((RecoveryOrder)read.Order).Vault);
        string text = Encoding.UTF8.GetString(written);
        Assert.DoesNotContain("c2VjcmV0", text, StringComparison.Ordinal);
        Assert.DoesNotContain(Passphrase, text, StringComparison.Ordinal);
        Assert.DoesNotContain(Passphrase, order.ToString(), StringComparison.Ordinal);

        // With what is handed over beside it, it is what it was.
        var whole = (RecoveryOrder)read.Order.WithSecrets(order.Secrets);
        Assert.Equal((order.Vault, order.Passphrase), (whole.Vault, whole.Passphrase));
    }

    [Fact]
    public void Each_kind_comes_back_as_it_was()
    {
        var backup = new BackupOrder { Policy = PolicyKind.SystemState, Only = ["/a"], RetainUntil = new DateTimeOffset(2040, 1, 2, 3, 4, 5, TimeSpan.Zero) };
        var recovery = new RecoveryOrder
        {
            MachineName = "BETA", PointId = "point", Paths = ["/a", "/b"], TargetFolder = "relative", Conflict = RestoreConflict.Overwrite, SkipSecurity = true, MapNames = true, Verify = true, EvenDeprovisioned = true,
        };

        var backupRead = (BackupOrder)Pass(backup);
        var recoveryRead = (RecoveryOrder)Pass(recovery);

        Assert.Equal(backup, backupRead with { Only = backup.Only });
        Assert.Equal(backup.Only, backupRead.Only);
        Assert.Equal(recovery with { TargetFolder = Path.GetFullPath("relative") }, recoveryRead with { Paths = recovery.Paths });
        Assert.Equal(recovery.Paths, recoveryRead.Paths);
    }

    [Fact]
    public void A_kind_that_is_not_known_is_named()
    {
        BackupException failure = Assert.Throws<BackupException>(() => Read("""{"kind":"mount","anything":1}"""));

        Assert.Equal(BackupErrorId.NotAvailable, failure.Id);
        Assert.Contains("'mount', but this version of MSOnlineBackup knows only backup, recovery", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "truncated")]
    [InlineData("[]", "has no version")]
    [InlineData("""{"version":"three"}""", "has no version")]
    [InlineData("""{"version":4,"order":{"kind":"mount"}}""", "has version 4")]
    [InlineData("""{"version":3,"limits":"None","machineName":"A","secrets":[],"order":{"kind":"backup","policy":"Files","only":[]}}""", "not a job order")]
    [InlineData("""{"version":3,"limits":"Open","machineName":"A","secrets":[],"order":{"only":[]}}""", "does not say what kind of job")]
    [InlineData("""{"version":3,"limits":"Open","machineName":"A","secrets":[],"order":[]}""", "does not say what kind of job")]
    [InlineData("""{"version":3,"limits":"Open","machineName":"A","secrets":[],"order":{"kind":1}}""", "does not say what kind of job")]
    [InlineData("""{"version":3,"limits":"Open","machineName":"A","secrets":[],"order":{"kind":"backup"}}""", "only")]
    [InlineData("""{"version":3,"limits":"Open","machineName":"A","secrets":[],"order":{"kind":"backup","policy":"Files","only":[],"more":1}}""", "more")]
    [InlineData("""{"version":3,"limits":"Open","machineName":"A","secrets":[],"order":{"kind":"recovery","pointId":"p"}}""", "machineName")]
    [InlineData("""{"version":3,"limits":"Open","machineName":"A","secrets":[],"order":{"kind":"backup","policy":"Files","only":null}}""", "only")]
    [InlineData("""{"version":3,"limits":"Open","machineName":"A","secrets":[]}""", "does not say what kind of job")]
    [InlineData("""{"version":3,"version":3}""", "not a job order")]
    public void What_is_no_order_is_refused(string text, string why)
    {
        BackupException failure = Assert.Throws<BackupException>(() => JobOrderFile.Decode(Encoding.UTF8.GetBytes(text), "order.json"));

        Assert.Equal((BackupErrorId.StateInvalid, "order.json"), (failure.Id, failure.Target));
        Assert.Contains(why, failure.Message, StringComparison.Ordinal);
    }

    private static JobOrder Pass(JobOrder order) => JobOrderFile.Decode(JobOrderFile.Of(order, _starter).Encode(), "order.json").Order;

    private static JobOrder Read(string order) =>
        JobOrderFile.Decode(Encoding.UTF8.GetBytes($$"""{"version":3,"limits":"Open","machineName":"ALPHA","secrets":[],"order":{{order}}}"""), "order.json").Order;
}
