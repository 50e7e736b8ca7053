using System.Runtime.CompilerServices;

namespace MSOnlineBackup.Vaults.Storage;

/// <summary>Reads the next things of a row while the first is being looked at, for vaults where each call takes long.</summary>
internal static class ReadAhead
{
    /// <summary>
    /// What is read of each, in the row's order. One at first, so whoever needs only the first reads no more; then twice as many each time.
    /// </summary>
    /// <param name="row">The things.</param>
    /// <param name="most">How many reads may be under way, from 1.</param>
    /// <param name="read">Reads one. What it throws is thrown when its turn comes.</param>
    /// <param name="cancellationToken">Stops all.</param>
    public static async IAsyncEnumerable<TResult> SelectAsync<T, TResult>(
        IEnumerable<T> row,
        int most,
        Func<T, CancellationToken, Task<TResult>> read,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var left = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using IEnumerator<T> things = row.GetEnumerator();
        var underWay = new Queue<Task<TResult>>();
        try
        {
            for (int window = 1; ; window = Math.Min(2 * window, most))
            {
                while (underWay.Count < window && things.MoveNext())
                {
                    underWay.Enqueue(read(things.Current, left.Token));
                }

                if (!underWay.TryDequeue(out Task<TResult>? next))
                {
                    yield break;
                }

#pragma warning disable VSTHRD003 // Started above; nothing in the engine has a context to block.
                yield return await next.ConfigureAwait(false);
#pragma warning restore VSTHRD003
            }
        }
        finally
        {
            await left.CancelAsync().ConfigureAwait(false);
            foreach (Task<TResult> abandoned in underWay)
            {
                await ((Task)abandoned).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
