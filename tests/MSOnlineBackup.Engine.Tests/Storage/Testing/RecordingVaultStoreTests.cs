using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Storage.Testing;

public sealed class RecordingVaultStoreTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_state_between_the_operations_comes_back()
    {
        var before = new MemoryVaultStore();
        before.SetContent("old", [0]);
        var store = new RecordingVaultStore(before);
        await store.TryCreateAsync("a", new byte[] { 1, 2, 3, 4 }, Stop);
        Assert.False(await store.TryCreateAsync("a", new byte[] { 9 }, Stop));
        await store.TryCreateAsync("b", new byte[] { 5 }, Stop);
        await store.DeleteAsync("a", Stop);

        Assert.Equal(3, store.Operations.Count);
        Assert.Equal(["old"], store.Materialise(0).Names);
        Assert.Equal(["a", "old"], store.Materialise(1).Names);
        Assert.Equal([1, 2], store.Materialise(1, LastOperation.Torn).GetContent("a"));
        Assert.Equal(["a", "b", "old"], store.Materialise(2).Names);
        Assert.Empty(store.Materialise(2, LastOperation.Torn).GetContent("b"));
        Assert.Equal(["a", "b", "old"], store.Materialise(3, LastOperation.Torn).Names);
        Assert.Equal(["b", "old"], store.Materialise(3).Names);
        Assert.Equal([1, 2, 3, 4], store.Materialise(2).GetContent("a"));
    }
}
