using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Pipes;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Engine.Tests.Pipes;

public sealed class PipedVaultStoreContractTests : VaultStoreContract
{
    protected override IVaultStore CreateStore() => LoopbackPipe.StoreOver(new MemoryVaultStore());
}

public sealed class PipedFolderVaultStoreContractTests : VaultStoreContract, IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    protected override IVaultStore CreateStore() => LoopbackPipe.StoreOver(new FolderVaultStore(_folder.Path));
}

/// <summary>What a connection loses is tried again over the next one: every connection breaks after some traffic.</summary>
public sealed class BreakingPipeContractTests : VaultStoreContract
{
    protected override IVaultStore CreateStore()
    {
        var store = new MemoryVaultStore();
        int connection = 0;
        return new ResilientVaultStore(
            new PipedVaultStore(
                store.Location,
                async stop => await LoopbackPipe.OpenAsync(store, outgoing: stream => new CutStream(stream, 300L << Math.Min(++connection, 30)), stop: stop)),
            new VaultRetryOptions { Patience = TimeSpan.FromDays(1000) },
            new FakeClock { SkipsWaits = true });
    }
}
