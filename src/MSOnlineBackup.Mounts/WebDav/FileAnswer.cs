using System.Buffers;
using System.Globalization;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Mounts.WebDav;

/// <summary>
/// A file's bytes, or a part of them. The first of them are read before the answer begins, so that what is damaged there is an error; where something is damaged later,
/// the answer breaks off. Bytes that are not the file's are never sent.
/// </summary>
internal static class FileAnswer
{
    private const int BufferLength = 1 << 20;

    public static async Task WriteAsync(HttpExchange exchange, IItemView view, ServedItem file, CancellationToken cancellationToken)
    {
        ViewItem item = file.Item;
        if (!item.Entry.IsRestorable())
        {
            throw item.Entry.Unrestorable(file.Name);
        }

        string tag = FileFacts.TagOf(item);
        DateTimeOffset? modified = FileFacts.ModifiedOf(item);
        var headers = new List<(string Name, string Value)> { ("ETag", tag), ("Accept-Ranges", "bytes"), ("Cache-Control", "private, no-cache") };
        if (modified is { } time)
        {
            headers.Add(("Last-Modified", FileFacts.Show(time)));
        }

        HttpHead request = exchange.Request;
        switch (Preconditions.Check(request, tag, modified))
        {
            case 412:
                throw new HttpRefusal(412, "The file is not the one that the request is about.");
            case 304:
                await exchange.Answer.WriteUnchangedAsync(headers, cancellationToken).ConfigureAwait(false);
                return;
        }

        headers.Add(("Content-Type", FileFacts.TypeOf(file.Name)));
        long size = item.Entry.Size;

        // RFC 9110, 14.2: a HEAD has no ranges.
        HttpRange? range = request.Method != "HEAD" && Preconditions.AllowRange(request, tag, modified) ? HttpRange.Parse(request.Get("Range"), size) : null;
        if (range is { Length: 0 })
        {
            throw new HttpRefusal(416, $"The file has {size} bytes; none of them is in the range.") { Headers = [("Content-Range", $"bytes */{size}")] };
        }

        (long start, long length) = range is { } part ? (part.Start, part.Length) : (0, size);
        if (range is not null)
        {
            headers.Add(("Content-Range", string.Create(CultureInfo.InvariantCulture, $"bytes {start}-{start + length - 1}/{size}")));
        }

        int status = range is null ? 200 : 206;
        if (request.Method == "HEAD")
        {
            await exchange.Answer.BeginAsync(status, length, headers, cancellationToken).ConfigureAwait(false);
            return;
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(BufferLength, Math.Max(1, length)));
        try
        {
            int read = await ReadAsync(start, length).ConfigureAwait(false);
            await exchange.Answer.BeginAsync(status, length, headers, cancellationToken).ConfigureAwait(false);
            for (long left = length; left > 0;)
            {
                await exchange.Answer.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
                left -= read;
                read = await ReadAsync(start + length - left, left).ConfigureAwait(false);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        async ValueTask<int> ReadAsync(long offset, long most)
        {
            int wanted = (int)Math.Min(BufferLength, most);
            int read = await view.ReadAsync(item.Id, offset, buffer.AsMemory(0, wanted), cancellationToken).ConfigureAwait(false);
            return read == wanted ? read : throw Vaults.Errors.VaultDamage.Corrupt(file.Name, "it has fewer bytes than its size says");
        }
    }
}
