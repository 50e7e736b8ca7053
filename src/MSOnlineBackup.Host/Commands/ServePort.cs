using System.CommandLine;

namespace MSOnlineBackup.Host.Commands;

/// <summary>What the commands that serve have alike.</summary>
internal static class ServePort
{
    /// <summary>What is told where the command is to stop.</summary>
    public const string StopNote = "Stopping; whoever is connected gets no more. Interrupt again to end at once.";

    /// <summary>The option for the port.</summary>
    public static Option<int> Option()
    {
        var option = new Option<int>("--port") { HelpName = "N", Description = "The port of 127.0.0.1 to listen on. Default: a free one." };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !(int.TryParse(token.Value, out int port) && port is > 0 and <= 65_535))
            {
                result.AddError($"'{token.Value}' is not a port: use a number from 1 to 65535.");
            }
        });
        return option;
    }
}
