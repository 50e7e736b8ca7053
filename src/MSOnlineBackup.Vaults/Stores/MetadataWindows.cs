using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Packs;

namespace MSOnlineBackup.Vaults.Stores;

/// <summary>
/// Blocks of metadata are small and lie in a pack in about the order in which they are read: a pack is read by windows, and the
/// windows last used are kept. Whoever goes from one window to the next finds the one after it on its way.
/// </summary>
/// <remarks>What it gives is sealed still, and verified by whoever opens it. Thread-safe. Memory: at most 16 MiB.</remarks>
internal sealed class MetadataWindows(Func<PackInfo, int, Memory<byte>, CancellationToken, ValueTask> fetch)
{
    private const int WindowLength = 512 << 10;
    private const int MaxWindows = 32;

    private readonly Lock _gate = new();
    private readonly OrderedDictionary<(PackInfo Pack, int Number), Task<byte[]>> _windows = [];

    /// <summary>Reads a range of a pack.</summary>
    /// <exception cref="BackupException">As the fetch.</exception>
    public async ValueTask ReadAsync(PackInfo pack, int offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        int first = offset / WindowLength;
        int last = (offset + destination.Length - 1) / WindowLength;
        if (destination.Length == 0 || offset + destination.Length > pack.Length)
        {
            await fetch(pack, offset, destination, cancellationToken).ConfigureAwait(false);
            return;
        }

        Task<byte[]>[] windows = [.. Enumerable.Range(first, last - first + 1).Select(number => Get(pack, number, cancellationToken))];
        try
        {
            for (int number = first; number <= last; number++)
            {
                byte[] window = await windows[number - first].ConfigureAwait(false);
                int start = number * WindowLength;
                int from = Math.Max(offset, start);
                int to = Math.Min(offset + destination.Length, start + window.Length);
                window.AsMemory(from - start, to - from).CopyTo(destination[(from - offset)..]);
            }
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is OperationCanceledException or BackupException { IsTransient: false })
        {
            // The window is damaged elsewhere, or another reader's who was stopped: what is needed may be whole.
            await fetch(pack, offset, destination, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Keeps none any longer.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _windows.Clear();
        }
    }

    private Task<byte[]> Get(PackInfo pack, int number, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            bool goesOn = _windows.ContainsKey((pack, number - 1));
            Task<byte[]> window = Use(pack, number, cancellationToken);
            if (goesOn && (number + 1) * WindowLength < pack.Length)
            {
                _ = Use(pack, number + 1, cancellationToken);
            }

            return window;
        }
    }

    // The caller holds the gate. The one used last stands last.
    private Task<byte[]> Use(PackInfo pack, int number, CancellationToken cancellationToken)
    {
        if (!_windows.Remove((pack, number), out Task<byte[]>? window) || window.IsFaulted || window.IsCanceled)
        {
            window = Task.Run(() => FetchAsync(pack, number, cancellationToken), cancellationToken);
        }

        _windows.Add((pack, number), window);
        if (_windows.Count > MaxWindows)
        {
            _windows.RemoveAt(0);
        }

        return window;
    }

    private async Task<byte[]> FetchAsync(PackInfo pack, int number, CancellationToken cancellationToken)
    {
        int start = number * WindowLength;
        byte[] content = GC.AllocateUninitializedArray<byte>(Math.Min(WindowLength, pack.Length - start));
        await fetch(pack, start, content, cancellationToken).ConfigureAwait(false);
        return content;
    }
}
