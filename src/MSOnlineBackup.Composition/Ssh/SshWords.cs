using System.Text;

namespace MSOnlineBackup.Composition.Ssh;

/// <summary>What ssh, and the program that it runs, write. All of it is read, so that they never wait; the end of it is kept.</summary>
internal sealed class SshWords
{
    private readonly StringBuilder _words = new();
    private readonly int _most;

    /// <summary>Begins to read.</summary>
    /// <param name="words">Where they come from.</param>
    /// <param name="most">How many characters are kept.</param>
    public SshWords(TextReader words, int most = 4000)
    {
        _most = most;
        All = Task.Run(() => ReadAsync(words));
    }

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

    private async Task ReadAsync(TextReader words)
    {
        char[] buffer = new char[1024];
        try
        {
            int read;
            while ((read = await words.ReadAsync(buffer).ConfigureAwait(false)) > 0)
            {
                lock (_words)
                {
                    _words.Append(buffer, 0, read);
                    if (_words.Length > _most)
                    {
                        _words.Remove(0, _words.Length - _most);
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
