using System.Text;
using MSOnlineBackup.Mounts.Nbd;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Mounts.Nbd;

/// <summary>
/// Many clients of one disk. Programs open all their connections before they use the first, so that whoever were left waiting for a place would wait for ever.
/// </summary>
public sealed class NbdPlacesTests : IAsyncLifetime
{
    private const uint Policy = (1U << 31) + 2;

    private readonly List<Exception> _reported = [];
    private readonly List<NbdClient> _clients = [];
    private readonly byte[] _disk = Encoding.ASCII.GetBytes("The bytes of a disk.");
    private NbdServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Name => new Uri(_server.Address).AbsolutePath[1..];

    public async ValueTask InitializeAsync()
    {
        var view = new MemoryView();
        _server = NbdServer.Start(view, view.Item(view.File(1, "disk.raw", _disk)), new NbdOptions { Report = _reported.Add });
        for (int i = 0; i < NbdServer.MostClients; i++)
        {
            NbdClient client = await NbdClient.ConnectAsync(_server.Address, Cancel);
            await client.GoAsync(Name, isStructured: false, Cancel);
            _clients.Add(client);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _clients.ForEach(client => client.Dispose());
        Assert.Empty(_reported);
    }

    [Fact]
    public async Task All_of_them_read_at_a_time()
    {
        foreach (NbdClient client in _clients)
        {
            await client.SendAsync(0, 1, 4, 5, Cancel);
        }

        foreach (NbdClient client in _clients)
        {
            Assert.Equal((0U, 1UL), await client.ReadSimpleAsync(Cancel));
            Assert.Equal(_disk[4..9], await client.ReadAsync(5, Cancel));
        }
    }

    [Fact]
    public async Task Who_finds_no_place_is_told_so_and_gets_one_when_another_has_gone()
    {
        using NbdClient late = await NbdClient.ConnectAsync(_server.Address, Cancel);
        Assert.Equal(Policy, await GoAsync(late));

        // The old way to choose a disk has no way to say no.
        using NbdClient old = await NbdClient.ConnectAsync(_server.Address, Cancel);
        await old.WriteAsync([.. "IHAVEOPT"u8, .. NbdClient.Number(1U), .. NbdClient.Text(Name)], Cancel);
        Assert.True(await old.IsEndedAsync(Cancel));

        // Asking about the disk takes no place.
        Assert.Equal(1U, (await late.AskAsync(6, [.. NbdClient.Text(Name), 0, 0], Cancel))[^1].Type);

        // One that says that it goes, and one that does not.
        await _clients[0].SendAsync(2, 0, 0, 0, Cancel);
        Assert.True(await _clients[0].IsEndedAsync(Cancel));
        _clients[1].Dispose();
        using NbdClient other = await NbdClient.ConnectAsync(_server.Address, Cancel);
        foreach (NbdClient client in new[] { late, other })
        {
            while (await GoAsync(client) == Policy)
            {
                await Task.Delay(5, Cancel);
            }
        }

        using NbdClient last = await NbdClient.ConnectAsync(_server.Address, Cancel);
        Assert.Equal(Policy, await GoAsync(last));
    }

    private async Task<uint> GoAsync(NbdClient client) => (await client.AskAsync(7, [.. NbdClient.Text(Name), 0, 0], Cancel))[^1].Type;
}
