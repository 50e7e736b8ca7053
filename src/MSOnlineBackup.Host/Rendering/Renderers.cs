using MSOnlineBackup.Host.Terminal;

namespace MSOnlineBackup.Host.Rendering;

/// <summary>Chooses how a command speaks.</summary>
internal static class Renderers
{
    /// <summary>The renderer for the global options and what is at the other end of the streams.</summary>
    public static IRenderer Create(HostEnvironment environment, bool json, bool quiet, bool debug)
    {
        if (json)
        {
            return new JsonRenderer(environment.Output, environment.Time, quiet, debug);
        }

        bool live = environment.ErrorIsTerminal && environment.Variable("TERM") != "dumb";
        bool colour = environment.Variable("NO_COLOR") is null;
        return new TextRenderer(
            environment.Output,
            environment.Error,
            environment.Time,
            () => live ? new LiveProgress(environment.Error, colour) : new PlainProgress(environment.Error),
            quiet,
            debug);
    }
}
