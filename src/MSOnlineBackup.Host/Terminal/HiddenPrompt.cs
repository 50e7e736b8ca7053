using System.Text;

namespace MSOnlineBackup.Host.Terminal;

/// <summary>Reads a secret from the terminal without showing it.</summary>
internal static class HiddenPrompt
{
    /// <summary>Asks on standard error, so that redirected results stay clean.</summary>
    public static async Task<string> AskAsync(string question, CancellationToken cancellationToken)
    {
        // A key press cannot be awaited; the thread that waits for one must not keep Ctrl+C from ending the command.
        await Console.Error.WriteAsync($"{question}: ").ConfigureAwait(false);
        try
        {
            return await Task.Run(ReadLine, cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await Console.Error.WriteLineAsync().ConfigureAwait(false);
        }
    }

    private static string ReadLine()
    {
        var line = new StringBuilder();
        while (true)
        {
            ConsoleKeyInfo key = Console.ReadKey(intercept: true);
            switch (key.Key)
            {
                case ConsoleKey.Enter:
                    return line.ToString();
                case ConsoleKey.Backspace:
                    line.Length = Math.Max(0, line.Length - 1);
                    break;
                case ConsoleKey.U when key.Modifiers == ConsoleModifiers.Control:
                    line.Clear();
                    break;
                default:
                    if (key.KeyChar != '\0')
                    {
                        line.Append(key.KeyChar);
                    }

                    break;
            }
        }
    }
}
