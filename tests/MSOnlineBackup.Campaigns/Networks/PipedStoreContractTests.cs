using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Pipes;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Campaigns.Networks;

/// <summary>The store over the standard input and output of <c>obengine serve store</c>.</summary>
public sealed class ProcessStoreContractTests : VaultStoreContract, IDisposable
{
    private readonly TempFolder _folder = new();
    private PipedVaultStore? _store;

    public void Dispose()
    {
        _store?.Dispose();
        _folder.Dispose();
    }

    protected override IVaultStore CreateStore() => _store ??= new PipedVaultStore(
        _folder.Path, _ => Task.FromResult<VaultPipe>(new ProcessPipe("dotnet", Obengine.BuiltProgram, "serve", "store", "--stdio", "--vault", _folder.Path)));
}

/// <summary>The same through ssh and a real sshd.</summary>
public sealed class SshStoreContractTests : VaultStoreContract, IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private SshServer? _server;
    private PipedVaultStore? _store;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(Testing.Campaign.IsFull, "Runs with OB_CAMPAIGN=full: what ssh only passes on is tried over the pipe of a process.");
        _server = await SshServer.StartAsync(TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        _store?.Dispose();
        _server?.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    protected override IVaultStore CreateStore() => _store ??= new PipedVaultStore(
        _folder.Path,
        _ => Task.FromResult<VaultPipe>(new ProcessPipe(_server!.Command($"/usr/bin/env dotnet {Obengine.BuiltProgram} serve store --stdio --vault {_folder.Path}"))));
}
