#!/usr/bin/env escript
%% TLS 1.2 server of Erlang/OTP: demands a certificate of the CA, and answers a line with the same one, as often as it takes to fill so
%% many bytes, and ends: it does not always answer a close_notify, so it is the first that sends one. One connection after the other. Says of
%% each whether it was resumed.
%%
%% Arguments: port, certificate, key, CA, bytes of an answer.

main([Port, Certificate, Key, Authority, Size]) ->
    {ok, _} = application:ensure_all_started(ssl),
    Groups = [x25519, secp256r1, secp384r1, secp521r1],
    {ok, Listener} = ssl:listen(list_to_integer(Port), [
        {ip, {127, 0, 0, 1}}, {reuseaddr, true}, {versions, ['tlsv1.2']},
        {certfile, Certificate}, {keyfile, Key}, {cacertfile, Authority},
        {verify, verify_peer}, {fail_if_no_peer_cert, true}, {reuse_sessions, true},
        {ciphers, ssl:cipher_suites(all, 'tlsv1.2')}, {eccs, Groups},
        {mode, binary}, {active, false}]),
    serve(Listener, list_to_integer(Size)).

serve(Listener, Size) ->
    {ok, Accepted} = ssl:transport_accept(Listener),
    case ssl:handshake(Accepted, 10000) of
        {ok, Socket} ->
            {ok, Information} = ssl:connection_information(Socket, [session_resumption, selected_cipher_suite]),
            io:format("~p~n", [Information]),
            echo(Socket, Size, <<>>),
            ssl:close(Socket);
        Problem ->
            io:format("~p~n", [Problem])
    end,
    serve(Listener, Size).

echo(Socket, Size, Before) ->
    case ssl:recv(Socket, 0, 10000) of
        {ok, More} ->
            Line = <<Before/binary, More/binary>>,
            case binary:last(Line) of
                $\n ->
                    Times = max(1, (Size + byte_size(Line) - 1) div byte_size(Line)),
                    ok = ssl:send(Socket, binary:copy(Line, Times));
                _ ->
                    echo(Socket, Size, Line)
            end;
        {error, Reason} ->
            io:format("~p~n", [Reason])
    end.
