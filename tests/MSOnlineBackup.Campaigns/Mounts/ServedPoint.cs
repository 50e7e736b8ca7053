using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Campaigns.Mounts;

/// <summary>A tree that was backed up, and a view of its point, for programs that are installed. Skips its test where they are not.</summary>
public sealed class ServedPoint : IAsyncDisposable
{
    private UnlockedVault? _vault;

    public ServedPoint(params string[] programs)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Runs on Linux.");
        string path = Environment.GetEnvironmentVariable("PATH") ?? "";
        Assert.SkipUnless(
            programs.All(program => path.Split(':').Any(folder => File.Exists(Path.Combine(folder, program)))), $"Needs {string.Join(", ", programs)}.");
        Tree = new SourceTreeBuilder(Source);
    }

    public TempFolder Folder { get; } = new();

    public string Source => Folder["source"];

    public SourceTreeBuilder Tree { get; }

    public IItemView View { get; private set; } = null!;

    /// <summary>What a server told.</summary>
    public List<Exception> Reported { get; } = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Backs the tree up, and opens its point.</summary>
    public async Task BackUpAsync()
    {
        FolderVault vault = await FolderVault.CreateAsync(Folder["vault"]);
        BackupResult backup = await vault.BackUpAsync(Source);
        await OpenAsync(vault, backup.Point);
    }

    /// <summary>Restores the point.</summary>
    /// <returns>Where its source is now.</returns>
    public async Task<string> RestoreAsync()
    {
        var vault = new FolderVault(Folder["vault"]);
        await vault.RestoreAsync((await vault.PointsAsync())[0], Folder["restored"]);
        Assert.Empty(vault.Skipped);
        return Folder["restored"] + Source;
    }

    /// <summary>Alters a byte in the middle of the vault's largest pack, and opens the point again.</summary>
    public async Task DamageAsync()
    {
        VaultDamage.AlterLargestPack(Folder["vault"]);
        View.Dispose();
        _vault!.Dispose();
        var vault = new FolderVault(Folder["vault"]);
        await OpenAsync(vault, (await vault.PointsAsync())[0]);
    }

    public void Report(Exception failure)
    {
        lock (Reported)
        {
            Reported.Add(failure);
        }
    }

    public ValueTask DisposeAsync()
    {
        View?.Dispose();
        _vault?.Dispose();
        Folder.Dispose();
        Assert.DoesNotContain(Reported, failure => failure is not BackupException);
        return ValueTask.CompletedTask;
    }

    private async Task OpenAsync(FolderVault vault, RecoveryPoint point)
    {
        _vault = await vault.OpenAsync();
        View = await (await _vault.IndexAsync(Cancel)).OpenViewAsync(point, new ViewOptions(), Cancel);
    }
}
