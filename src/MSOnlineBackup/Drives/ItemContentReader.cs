using System.Collections;
using System.Management.Automation.Provider;
using System.Text;

namespace MSOnlineBackup.Drives;

/// <summary>
/// Gives a file's content to <c>Get-Content</c>: lines, parts between delimiters, bytes, or all at once. Nothing is read before it is asked for, as all files of a command are opened
/// first. Memory: a buffer, and what is asked for at a time.
/// </summary>
/// <param name="read">Reads from an offset on: as many bytes as there are and have room.</param>
/// <param name="parameters">What was asked for.</param>
/// <param name="close">Called once, when it is done with.</param>
internal sealed class ItemContentReader(Func<long, Memory<byte>, int> read, ReadContentParameters parameters, Action close) : IContentReader
{
    private const int BufferLength = 256 * 1024;

    private readonly char[] _chars = new char[1];
    private Stream? _bytes;
    private StreamReader? _text;
    private Action? _close = close;

    /// <inheritdoc/>
    public IList Read(long readCount)
    {
        // What cannot be counted is all there is.
        long most = readCount <= 0 ? long.MaxValue : readCount;
        _bytes ??= new BufferedStream(new ItemStream(read), BufferLength);
        if (parameters.AsByteStream)
        {
            return parameters.Raw ? ReadAllBytes(_bytes) : ReadBytes(_bytes, readCount, most);
        }

        _text ??= new StreamReader(_bytes, parameters.Encoding ?? Encoding.UTF8, detectEncodingFromByteOrderMarks: true, BufferLength);
        if (parameters.Raw)
        {
            return _text.ReadToEnd() is { Length: > 0 } all ? [all] : Array.Empty<object>();
        }

        var blocks = new List<object>();
        while (blocks.Count < most && (parameters.Delimiter is { } delimiter ? ReadTo(_text, delimiter) : _text.ReadLine()) is { } block)
        {
            blocks.Add(block);
        }

        return blocks;
    }

    /// <inheritdoc/>
    public void Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("Content of a recovery point is read from its beginning.");

    /// <inheritdoc/>
    public void Close() => Interlocked.Exchange(ref _close, null)?.Invoke();

    /// <inheritdoc/>
    public void Dispose()
    {
        _text?.Dispose();
        _bytes?.Dispose();
        Close();
    }

    private static object[] ReadAllBytes(Stream bytes)
    {
        using var all = new MemoryStream();
        bytes.CopyTo(all);
        return all.Length == 0 ? [] : [all.ToArray()];
    }

    // One byte at a time is an object each; of several at a time the array goes on as it is.
    private static IList ReadBytes(Stream bytes, long readCount, long most)
    {
        if (readCount == 1)
        {
            int value = bytes.ReadByte();
            return value < 0 ? Array.Empty<object>() : new object[] { (byte)value };
        }

        using var some = new MemoryStream();
        byte[] buffer = new byte[Math.Min(BufferLength, most)];
        while (some.Length < most && bytes.Read(buffer, 0, (int)Math.Min(buffer.Length, most - some.Length)) is > 0 and int length)
        {
            some.Write(buffer, 0, length);
        }

        return some.ToArray();
    }

    private string? ReadTo(StreamReader text, string delimiter)
    {
        var block = new StringBuilder();
        while (text.Read(_chars, 0, 1) == 1)
        {
            block.Append(_chars[0]);
            if (_chars[0] == delimiter[^1] && block.Length >= delimiter.Length && block.ToString(block.Length - delimiter.Length, delimiter.Length) == delimiter)
            {
                block.Length -= delimiter.Length;
                return block.ToString();
            }
        }

        return block.Length > 0 ? block.ToString() : null;
    }
}
