namespace MSOnlineBackup.Disks.Volumes;

/// <summary>The files that were read last, held open: whoever reads one reads it piece by piece. Thread-safe.</summary>
/// <param name="most">How many are held.</param>
internal sealed class RecentlyOpened<T>(int most)
    where T : class
{
    private readonly Lock _lock = new();
    private readonly LinkedList<(ulong Id, T Value)> _values = [];

    /// <summary>The one with a number, opened where it is not held.</summary>
    public async ValueTask<T> GetAsync(ulong id, Func<ValueTask<T>> open)
    {
        lock (_lock)
        {
            if (Take(id) is T held)
            {
                return held;
            }
        }

        T opened = await open().ConfigureAwait(false);
        lock (_lock)
        {
            if (Take(id) is T held)
            {
                return held;
            }

            _values.AddFirst((id, opened));
            if (_values.Count > most)
            {
                _values.RemoveLast();
            }
        }

        return opened;
    }

    // Moves it to the front.
    private T? Take(ulong id)
    {
        LinkedListNode<(ulong Id, T Value)>? node = _values.First;
        while (node is not null && node.Value.Id != id)
        {
            node = node.Next;
        }

        if (node is null)
        {
            return null;
        }

        _values.Remove(node);
        _values.AddFirst(node);
        return node.Value.Value;
    }
}
