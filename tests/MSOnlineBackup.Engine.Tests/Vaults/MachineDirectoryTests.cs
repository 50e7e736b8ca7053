using System.Text;
using MSOnlineBackup.Engine.Vaults;
using MSOnlineBackup.Testing;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Vaults.TestStores;

namespace MSOnlineBackup.Engine.Tests.Vaults;

public class MachineDirectoryTests
{
    private readonly MemoryVaultStore _objects = new();

    [Fact]
    public async Task A_machine_is_written_down_once_and_again_when_it_has_changed()
    {
        ChunkStore store = await OpenAsync(_objects);
        await MachineDirectory.AnnounceAsync(store, "beta", Cancel);
        await MachineDirectory.AnnounceAsync(store, "beta", Cancel);
        await MachineDirectory.AnnounceAsync(store, "Alpha", Cancel);
        Assert.Equal(2, _objects.Names.Count);

        await MachineDirectory.AnnounceAsync(store, "BETA", Cancel);

        Assert.Equal(3, _objects.Names.Count);
        Assert.Equal(["Alpha", "BETA"], await MachineDirectory.ListAsync(_objects, Cancel));
    }

    [Theory]
    [InlineData("00000001", "")]
    [InlineData("00000001", "null")]
    [InlineData("00000001", "{")]
    [InlineData("00000001", """{"name":null,"operatingSystem":null,"agentVersion":null,"store":null}""")]
    [InlineData("7fffffff", """{"name":"x","operatingSystem":"x","agentVersion":"x","store":"x"}""")]
    [InlineData("ffffffff", """{"name":"x","operatingSystem":"x","agentVersion":"x","store":"x"}""")]
    [InlineData("readme.txt", "x")]
    public async Task What_is_no_record_stops_no_machine(string sequence, string content)
    {
        ChunkStore store = await OpenAsync(_objects);
        _objects.SetContent($"machines/{Header.MachineId("beta")}/{sequence}", Encoding.UTF8.GetBytes(content));
        Assert.Empty(await MachineDirectory.ListAsync(_objects, Cancel));

        await MachineDirectory.AnnounceAsync(store, "beta", Cancel);

        Assert.Equal(["beta"], await MachineDirectory.ListAsync(_objects, Cancel));
    }
}
