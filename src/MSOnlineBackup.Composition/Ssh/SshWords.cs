using System.Text;

namespace MSOnlineBackup.Composition.Ssh;

/// <summary>What ssh, and the program that it runs, write to standard error. All of it is read, so that they never wait; the end of it is kept.</summary>
internal sealed class SshWords
{
    private const int Most = 4000;

    private readonly StringBuilder _words = new();

    /// <summary>Begins to read.</summary>
    public SshWords(TextReader error) => All = Task.Run(() => ReadAsync(error));

    /// <summary>Ends when there is nothing more to come.</summary>
    public Task All { get; }

    /// <summary>What was said until now.</summary>
    public string SoFar
    {
        get
        {
            lock (_words)
            {
                return _words.ToString();
            }
        }
    }

    private async Task ReadAsync(TextReader error)
    {
        char[] buffer = new char[1024];
        try
        {
            int read;
            while ((read = await error.ReadAsync(buffer).ConfigureAwait(false)) > 0)
            {
                lock (_words)
                {
                    _words.Append(buffer, 0, read);
                    if (_words.Length > Most)
                    {
                        _words.Remove(0, _words.Length - Most);
                    }
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // What was said until then.
        }
    }
}
